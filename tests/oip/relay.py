"""A relay in front of a server, which counts the connections that clients open."""

import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from urllib.parse import urlsplit


class Relay(socketserver.ThreadingTCPServer):
    """Passes on the bytes of each connection."""

    daemon_threads = True

    def __init__(self, target: tuple[str | None, int | None]) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target = target
        self.connections = 0

    @property
    def url(self) -> str:
        """Base URL of the relay."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.server.connections += 1
        with socket.create_connection(self.server.target) as there:
            Thread(target=_pass_on, args=(self.request, there), daemon=True).start()
            _pass_on(there, self.request)


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            sink.sendall(content)
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def running_relay(url: str) -> Iterator[Relay]:
    """Run a relay to a server for the duration of a block."""
    parts = urlsplit(url)
    with Relay((parts.hostname, parts.port)) as relay:
        Thread(target=relay.serve_forever, daemon=True).start()
        yield relay
        relay.shutdown()
