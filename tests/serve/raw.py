"""HTTP as its bytes, for what clients' libraries do not send."""

import json
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """An answer: its status, its headers by lower-case name, its body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self):
        return json.loads(self.body)["error"]


class Connection:
    """A connection whose answers are read one by one."""

    def __init__(self, connected):
        self._connected, self._reader = connected, connected.makefile("rb")

    def send(self, *pieces):
        for piece in pieces:
            self._connected.sendall(piece)

    def end(self):
        """End the sending side alone, as `nc -N` does."""
        self._connected.shutdown(socket.SHUT_WR)

    def answer(self, bodiless=False):
        status = int(self._reader.readline().split()[1])
        headers = {}
        while line := self._reader.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        size = 0 if bodiless else int(headers["content-length"])
        return Answer(status, headers, self._reader.read(size))

    def piece(self):
        """What has come by now, or comes first."""
        return self._reader.read1()

    def rest(self):
        """All that comes until the other side closes."""
        return self._reader.read()


@contextmanager
def connection(url, timeout=20):
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=timeout) as connected:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Connection(connected)


def request(body=b"", *headers, target="/v1/models/emotion:predict", method="POST", version="1.1"):
    """The bytes of a request; of the length of its body unless a header says otherwise."""
    lines = [f"{method} {target} HTTP/{version}", *headers]
    if body and not any(each.lower().startswith("transfer-encoding") for each in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
