"""The log of every request and answer at a collector, as KServe's own logger keeps it.

Source: https://kserve.github.io/website/docs/model-serving/predictive-inference/logger
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent

from components.serve.bounds import LogPayload
from components.serve.predictor import Predictor

_log = logging.getLogger(__name__)
_WAITING = 1000
_TIMEOUT_SECONDS = 5.0


@asynccontextmanager
async def payload_logger(predictor: Predictor) -> AsyncIterator[LogPayload]:
    """Post requests and answers as CloudEvents to `payload_url`, for the duration of a block.

    Events that the collector refuses or is too slow for are counted and dropped: no request waits
    for it.
    """
    events: asyncio.Queue[CloudEvent] = asyncio.Queue(_WAITING)

    def log_payload(exchange_id: str, request: bytes, response: bytes) -> None:
        for kind, body in (("request", request), ("response", response)):
            try:
                events.put_nowait(_event(predictor.name, exchange_id, kind, body))
            except asyncio.QueueFull:
                predictor.metrics.refused("payload_url")

    posting = asyncio.create_task(_post(events, predictor))
    try:
        yield log_payload
    finally:
        posting.cancel()


def _event(model_name: str, exchange_id: str, kind: str, body: bytes) -> CloudEvent:
    attributes = {
        "id": exchange_id,
        "type": f"org.kubeflow.serving.inference.{kind}",
        "source": f"http://{model_name}/",
        "inferenceservicename": model_name,
        "component": "predictor",
        "datacontenttype": "application/json",
    }
    return CloudEvent(attributes, body)


async def _post(events: asyncio.Queue[CloudEvent], predictor: Predictor) -> None:
    async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
        while True:
            headers, body = to_binary(await events.get())
            try:
                url = predictor.settings.payload_url
                (await client.post(url, headers=headers, content=body)).raise_for_status()
            except httpx.HTTPError as error:
                _log.warning("the collector did not accept a payload: %s", type(error).__name__)
                predictor.metrics.refused("payload_url")
