"""Bytes sent over a connection, and what came back, as a strict client reads it.

Source: RFC 9112, sections 4 to 6
"""

import asyncio
import json
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

_STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) [\x20-\x7e]*\r\n")
_FIELD = re.compile(rb"([\w!#$%&'*+.^`|~-]+): ?([^\x00-\x08\x0a-\x1f\x7f]*)\r\n", re.ASCII)
_PAUSE = 0.001


class BrokenAnswerError(Exception):
    """Bytes that are no answer, or not the one that was due."""


@dataclass(frozen=True)
class Answer:
    """An answer: its status, its headers by lower-case name, its body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def closes(self):
        return self.headers.get("connection") == "close"

    def json(self):
        return json.loads(self.body)


async def converse(url: str, pieces: Iterable[bytes]) -> bytes:
    """Send pieces one by one; returns all that comes until the other side closes."""
    loop, parts = asyncio.get_running_loop(), urlsplit(url)
    with socket.socket() as connected:
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(connected, (parts.hostname, parts.port))
        async with asyncio.TaskGroup() as tasks:
            receiving = tasks.create_task(_received(loop, connected))
            try:
                for piece in pieces:
                    await loop.sock_sendall(connected, piece)
                    await asyncio.sleep(_PAUSE)
            except ConnectionError:
                # It has closed; what it said before is there nevertheless.
                pass
        return receiving.result()


async def _received(loop, connected):
    content = bytearray()
    try:
        while got := await loop.sock_recv(connected, 65536):
            content += got
    except ConnectionError:
        pass
    return bytes(content)


def answers_in(content: bytes, heads: Iterable[bool] = ()) -> list[Answer]:
    """Read answers that are not of the kind 1xx, of which some may be to HEAD.

    Raises:
        BrokenAnswerError: If something else comes, or comes after the connection's last.
    """
    answers, place, bodiless = [], 0, iter(heads)
    while place < len(content):
        status, headers, place = _head(content, place)
        if answers and answers[-1].closes:
            raise BrokenAnswerError(f"{status} comes after the end")
        if status >= 200:
            size = int(headers["content-length"])
            answer = Answer(status, headers, content[place : place + size])
            if next(bodiless, False):
                # A client that asked for no body reads none, and one may come before the end.
                answer = replace(answer, body=answer.body if answer.closes else b"")
            elif len(answer.body) < size:
                raise BrokenAnswerError(f"the answer {status} is cut off")
            answers.append(answer)
            place += len(answer.body)
    return answers


def _head(content, place):
    line = _STATUS_LINE.match(content, place)
    if not line:
        raise BrokenAnswerError(f"no status line: {content[place : place + 100]!r}")
    headers, place = {}, line.end()
    while found := _FIELD.match(content, place):
        name = found[1].decode().lower()
        if name in headers:
            raise BrokenAnswerError(f"{name} comes twice")
        headers[name], place = found[2].decode("latin-1"), found.end()
    if content[place : place + 2] != b"\r\n":
        raise BrokenAnswerError(f"no header: {content[place : place + 100]!r}")
    return int(line[1]), headers, place + 2
