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

from components.serve.exchanges import Collector, Exchange, Message
from components.serve.predictor import Predictor
from components.serve.v2 import HEADER_LENGTH

_log = logging.getLogger(__name__)
_WAITING = 1000
_TIMEOUT_SECONDS = 5.0

_Event = tuple[dict[str, str], bytes]


@asynccontextmanager
async def payload_logger(predictor: Predictor) -> AsyncIterator[Collector]:
    """Post exchanges as CloudEvents to `payload_url`, for the duration of a block.

    Events that the collector refuses or is too slow for are counted and dropped: no request waits
    for it.
    """
    events: asyncio.Queue[_Event] = asyncio.Queue(_WAITING)

    def collect(exchange: Exchange) -> None:
        for kind, message in (("request", exchange.request), ("response", exchange.response)):
            try:
                events.put_nowait(_event(predictor.name, exchange.id, kind, message))
            except asyncio.QueueFull:
                predictor.metrics.refused("payload_url")

    posting = asyncio.create_task(_post(events, predictor))
    try:
        yield collect
    finally:
        posting.cancel()


def _event(model_name: str, exchange_id: str, kind: str, message: Message) -> _Event:
    attributes = {
        "id": exchange_id,
        "type": f"org.kubeflow.serving.inference.{kind}",
        "source": f"http://{model_name}/",
        "inferenceservicename": model_name,
        "component": "predictor",
        "datacontenttype": message.content_type,
    }
    headers, body = to_binary(CloudEvent(attributes, message.body))
    if message.json_length:
        headers[HEADER_LENGTH] = message.json_length
    return headers, body


async def _post(events: asyncio.Queue[_Event], predictor: Predictor) -> None:
    async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
        while True:
            headers, body = await events.get()
            try:
                url = predictor.settings.payload_url
                (await client.post(url, headers=headers, content=body)).raise_for_status()
            # A client may have sent a header that cannot be sent on.
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                _log.warning("the collector did not accept a payload: %s", type(error).__name__)
                predictor.metrics.refused("payload_url")
