"""The log of every request and answer at a collector, as KServe's own logger keeps it, or in files.

Sources: https://kserve.github.io/website/docs/model-serving/predictive-inference/logger,
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from cloudevents.conversion import to_binary, to_json
from cloudevents.http import CloudEvent

from components.serve.exchanges import Collector, Exchange, Message
from components.serve.predictor import Predictor
from components.serve.v2 import HEADER_LENGTH

_log = logging.getLogger(__name__)
_WAITING = 1000
_TIMEOUT_SECONDS = 5.0


_Event = tuple[CloudEvent, str]
"""An event, and the bytes of its body until binary tensors; empty without those."""


@asynccontextmanager
async def payload_logger(predictor: Predictor) -> AsyncIterator[Collector]:
    """Send exchanges as CloudEvents to `payload_url`, or into files, for the duration of a block.

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

    async with AsyncExitStack() as stack:
        url, folder = predictor.settings.payload_url, predictor.settings.payload_folder
        if folder:
            send = _appending(Path(folder))
        else:
            client = httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False)
            send = _posting(await stack.enter_async_context(client), url)
        sending = asyncio.create_task(_send(events, send, predictor))
        try:
            yield collect
        finally:
            sending.cancel()


def _event(model_name: str, exchange_id: str, kind: str, message: Message) -> _Event:
    attributes = {
        "id": exchange_id,
        "type": f"org.kubeflow.serving.inference.{kind}",
        "source": f"http://{model_name}/",
        "inferenceservicename": model_name,
        "component": "predictor",
        "datacontenttype": message.content_type,
    }
    return CloudEvent(attributes, message.body), message.json_length


def _posting(client: httpx.AsyncClient, url: str) -> Callable[[_Event], Awaitable[None]]:
    async def send(event: _Event) -> None:
        headers, body = to_binary(event[0])
        if event[1]:
            headers[HEADER_LENGTH] = event[1]
        (await client.post(url, headers=headers, content=body)).raise_for_status()

    return send


def _appending(folder: Path) -> Callable[[_Event], Awaitable[None]]:
    def append(event: CloudEvent) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{datetime.now(UTC):%Y-%m-%d}.jsonl").open("ab") as file:
            file.write(to_json(event) + b"\n")

    async def send(event: _Event) -> None:
        await asyncio.to_thread(append, event[0])

    return send


async def _send(
    events: asyncio.Queue[_Event], send: Callable[[_Event], Awaitable[None]], predictor: Predictor
) -> None:
    while True:
        event = await events.get()
        try:
            await send(event)
        # A client may have sent a header that cannot be sent on.
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            _log.warning("the collector did not accept a payload: %s", type(error).__name__)
            predictor.metrics.refused("payload_url")
