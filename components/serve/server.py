"""The server process of a predictor, over HTTP and gRPC, until SIGTERM."""

import asyncio
import logging
import socket
from contextlib import AsyncExitStack
from functools import partial
from types import FrameType

import uvicorn
import uvloop

from components.errors import InputError
from components.serve.application import application
from components.serve.bounds import Bounds, LogPayload
from components.serve.connections import BoundedConnection
from components.serve.predictor import Predictor

_log = logging.getLogger(__name__)


def serve(predictor: Predictor) -> None:
    """Listen until SIGTERM or SIGINT, then finish the requests in progress.

    At the signal the predictor reports that it is not ready, but accepts requests for another
    `drain_seconds`, since gateways notice it a little later; then it closes.

    Raises:
        InputError: If an address cannot be listened on.
    """
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    with _listener(predictor) as listener, runner:
        runner.run(_serve(predictor, listener))
    predictor.close()


class _DrainingServer(uvicorn.Server):
    """uvicorn's server, which itself would stop listening at the signal."""

    def __init__(self, config: uvicorn.Config, predictor: Predictor) -> None:
        super().__init__(config)
        self._predictor = predictor
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Start to drain at the first signal; end immediately at the second."""
        if self._predictor.draining:
            super().handle_exit(sig, frame)
            return
        self._predictor.draining = True
        self._loop.call_soon_threadsafe(
            self._loop.call_later, self._predictor.settings.drain_seconds, self._close
        )

    def _close(self) -> None:
        self.should_exit = True


async def _serve(predictor: Predictor, listener: socket.socket) -> None:
    settings = predictor.settings
    async with AsyncExitStack() as running:
        log_payload = None
        if settings.payload_url:
            from components.serve.payloads import payload_logger

            log_payload = await running.enter_async_context(payload_logger(predictor))
        if settings.grpc_port:
            from components.serve.grpc_service import running_grpc

            await running.enter_async_context(running_grpc(predictor))
        config = _config(predictor, log_payload)
        _log.info("serve: %s on http://%s:%d", predictor.name, *listener.getsockname())
        await _DrainingServer(config, predictor).serve(sockets=[listener])


def _config(predictor: Predictor, log_payload: LogPayload | None) -> uvicorn.Config:
    settings = predictor.settings
    return uvicorn.Config(
        Bounds(application(predictor), predictor, log_payload),
        http=partial(BoundedConnection, predictor),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=settings.idle_seconds,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )


def _listener(predictor: Predictor) -> socket.socket:
    host, port = predictor.settings.host, predictor.settings.http_port
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        rule = f"cannot be listened on ({error.strerror})"
        raise InputError(f"address {host}:{port}", rule, "Choose another host or port") from error
