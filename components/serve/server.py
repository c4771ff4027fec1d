"""The server process of a predictor, over HTTP and gRPC, until SIGTERM."""

import asyncio
import logging
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
import uvloop

from components.errors import InputError
from components.serve.application import application
from components.serve.bounds import Bounds
from components.serve.connections import BoundedConnection
from components.serve.exchanges import Reports
from components.serve.predictor import Predictor
from components.serve.settings import ServeSettings

if TYPE_CHECKING:
    from components.serve.grpc_service import Drain

_log = logging.getLogger(__name__)


def serve(predictor: Predictor) -> None:
    """Listen until SIGTERM or SIGINT, then finish the requests in progress.

    At the signal the predictor reports that it is not ready, but accepts requests for another
    `drain_seconds`, since gateways notice it a little later; then it closes.

    Raises:
        InputError: If an address cannot be listened on.
    """
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    with listener(predictor.settings) as listening, runner:
        runner.run(_serve(predictor, listening))
    predictor.close()


class _DrainingServer(uvicorn.Server):
    """uvicorn's server, which itself would stop listening at the signal."""

    def __init__(
        self, config: uvicorn.Config, predictor: Predictor, drains: Sequence["Drain"]
    ) -> None:
        super().__init__(config)
        self._predictor, self._drains = predictor, drains
        self._draining: list[asyncio.Future[None]] = []
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Start to drain at the first signal; end immediately at the second."""
        if self._predictor.draining:
            super().handle_exit(sig, frame)
            return
        self._predictor.draining = True
        self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self._loop.call_later(self._predictor.settings.drain_seconds, self._close)
        self._draining = [asyncio.ensure_future(each()) for each in self._drains]

    def _close(self) -> None:
        self.should_exit = True


async def _serve(predictor: Predictor, listening: socket.socket) -> None:
    settings = predictor.settings
    async with AsyncExitStack() as running:
        collector = None
        if settings.payload_url or settings.payload_folder:
            from components.serve.payloads import payload_logger

            collector = await running.enter_async_context(payload_logger(predictor))
        reports = Reports(predictor, collector)
        drains: list[Drain] = []
        if settings.grpc_port:
            from components.serve.grpc_service import running_grpc

            drains.append(await running.enter_async_context(running_grpc(predictor, reports)))
        config = _config(predictor, reports)
        _log.info("serve: %s on http://%s", predictor.name, settings.address(settings.http_port))
        await _DrainingServer(config, predictor, drains).serve(sockets=[listening])


def _config(predictor: Predictor, reports: Reports) -> uvicorn.Config:
    settings = predictor.settings
    return uvicorn.Config(
        Bounds(application(predictor), predictor, reports),
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


def listener(settings: ServeSettings) -> socket.socket:
    """Listen on the address of HTTP.

    `::` stands for IPv4, too, and for it alone where the kernel has no IPv6, as it does for gRPC.

    Raises:
        InputError: If it cannot be listened on.
    """
    host, port = settings.bare_host, settings.http_port
    both = host == "::" and socket.has_dualstack_ipv6()
    if host == "::" and not both:
        host = "0.0.0.0"  # noqa: S104
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048, dualstack_ipv6=both)
    # TypeError is Python's for a host that is no name.
    except (OSError, TypeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        address, rule = settings.address(port), f"cannot be listened on ({reason})"
        raise InputError(f"address {address}", rule, "Choose another host or port") from error
