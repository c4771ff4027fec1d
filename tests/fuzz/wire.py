"""Requests as bytes: every way to frame, address, and extend one, right and wrong.

Sources: RFC 9110, RFC 9112; the statuses of what is wrong are those of docs/serving.md.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import reduce
from random import Random

OK = frozenset({200})
_BODY = json.dumps({"instances": ["a fine day"]}).encode()
_MOST_HEAD = 16_384


@dataclass(frozen=True)
class Part:
    """Some lines of a head, and the statuses that may come of them."""

    lines: tuple[str, ...] = ()
    statuses: frozenset[int] = OK
    closes: bool = False


@dataclass(frozen=True)
class Wired:
    """A request, and what may be answered: one of some statuses, under an identifier."""

    content: bytes = field(repr=False)
    method: str
    statuses: frozenset[int]
    closes: bool
    id: str = ""

    def __repr__(self):
        return f"{self.content!r:.900} -> {sorted(self.statuses)}"


def _parts(*texts: str, statuses: Iterable[int] = OK, closes: bool = False) -> list[Part]:
    """Parts of one or more lines each."""
    return [
        Part(tuple(filter(None, each.split("\n"))), frozenset(statuses), closes) for each in texts
    ]


HOSTS = _parts(
    *("Host: x", "host: x:8080", "Host:", "HOST: [::1]:8080", "Host: [fe80::1%25eth0]"),
    *("Host:\tmy_model.space.svc.cluster.local. ", "Host: a%20b", "Host: x:"),
)
ODD_HOSTS = _parts(
    *("", "Host: x\nHost: y", "Host: x\nhost: x", "Host: a b", "Host: x/y", "Host: user@x"),
    *("Host: x:port", "Host: [::1", "Host: ::1", "Host: x:1:2", "Host: é", 'Host: "x"', "Host: x?"),
    statuses={400},
)
CONNECTIONS = _parts(
    *("", "", "Connection: keep-alive", "Connection: TE\nTE: trailers", "Connection: ,x, ,"),
    "Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAEAAEAAAAIAAAAB",
    *("Connection: Upgrade\nUpgrade: h2c", "Connection: Upgrade", "Upgrade: h2c"),
    "connection: keep-alive, upgrade\nupgrade: websocket\nSec-WebSocket-Version: 13",
    *("Connection: Upgrade\nUpgrade: TLS/1.0, HTTP/2.0", "Connection: upgrade\nUpgrade: frob/9"),
    *("Connection: keep-alive\nConnection: UPGRADE\nUpgrade: h2c", "Connection: Upgrade\nUpgrade:"),
) + _parts(
    *("Connection: close", "Connection: Upgrade, close\nUpgrade: h2c", "connection: x,CLOSE"),
    "Upgrade: h2c\nConnection: close\nConnection: Upgrade",
    closes=True,
)
EXTRAS = _parts(
    *("", "", "X-Empty:", "X-Tab: a\tb", "X-Latin: é", "X-'!#$%&*+.^_`|~: odd", "Accept: */*"),
    *("Content-Type: application/json; charset=utf-8", "Content-Type: text/plain", "Cookie: a=b"),
    *("Content-Encoding: identity", "Accept-Encoding: gzip, br", "Accept: text/html", "Range: x"),
    *("Forwarded: for=x;host=y", "X-Forwarded-Proto: https", "Authorization: Basic x", "Max-: 0"),
    *("Expect: 100-continue", "If-None-Match: *", "If-Match: x", "TE: gzip", "Via: 1.0 x"),
)
ODD_EXTRAS = [
    *_parts("X-Space : x", "X-\x01: x", "X: a\x00b", ": x", "no colon", "X(): y", statuses={400}),
    *_parts("X-Fold: a\n b", "X-Bell: \x07", "X: a\rb", statuses={200, 400}),
    *_parts("Expect: the best", "Expect: 100-continue, x", statuses={200, 417}),
]
ENCODINGS = _parts("Content-Encoding: gzip", "content-encoding: identity, br", statuses={415})
CODINGS = [
    *_parts("gzip, chunked", "gzip\nchunked", "identity", "gzip", "xchunked", statuses={501}),
    *_parts("chunked, chunked", "chunked\nchunked", "chunked, gzip", "", statuses={400, 501}),
    *_parts("chunked, identity", "identity, chunked", "\x0bchunked", statuses={400, 501}),
]
LENGTHS = [
    *_parts("-1", "+5", "5, 5", "0x5", "5 5", "five", "9" * 30, "1e2", "٣", statuses={400}),
    *_parts("300000", "262145", str(2**60), statuses={413}, closes=True),
    *_parts("", statuses={200, 400}),
]
CHUNKED = "Transfer-Encoding: chunked"
GETS = [
    *("/", "/metrics", "/openapi.json", "/v1/models", "/v1/models/emotion", "/v2", "/v2/"),
    *("/v2/health/live", "/v2/health/ready", "/v2/models/emotion", "/v2/models/emotion/ready"),
]
POSTS = [*["/v1/models/emotion:predict"] * 4, "/v1/models/emotion:explain"]
FORMS: list[Callable[[str], str]] = [
    lambda path: path,
    lambda path: f"{path}?a=b&%ff=%00&c",
    lambda path: f"http://x{path}",
    lambda path: f"HTTP://user@[::1]:80{path}?",
    lambda path: path.replace("v", "%76").replace("m", "%6D"),
]
ODD_TARGETS = [
    *("//v2/health/live", "/v2/health/live/", "/v2/../v2", "/%00", "/%", "/%zz", "/v2/%ff", "*"),
    *("/v2/models/%65motion%2fready", "/v1/models/other", "/v2/models/emotion/versions/9", "x"),
    *(
        "/v2/models/emotion;a",
        "http://",
        "https:///v2",
        "/v2#live",
        "/\\",
        '/"<>',
        "/é",
        "ftp://x/",
    ),
]
METHODS = ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "FOO", "PRI"]


def _route(draw: Random) -> tuple[str, str, Part]:
    """Method, target, and what they may be answered with."""
    kind = draw.random()
    if kind < 0.45:
        return "POST", draw.choice(FORMS)(draw.choice(POSTS)), Part()
    if kind < 0.85:
        return draw.choice(["GET", "HEAD"]), draw.choice(FORMS)(draw.choice(GETS)), Part()
    if kind < 0.95:
        odd = Part(statuses=frozenset({200, 400, 404, 405}))
        return draw.choice(["GET", "HEAD", "POST"]), draw.choice(ODD_TARGETS), odd
    return draw.choice(METHODS), draw.choice(GETS), Part(statuses=frozenset({400, 405}))


def _size(draw: Random, target: str, lines: Iterable[str]) -> Part:
    """A header that makes the head nearly, or more than, as large as it may be."""
    size = len(target.encode()) + sum(len(each.encode()) + 3 for each in lines) + len("X-Long: ")
    wanted = draw.choice([15_000, _MOST_HEAD - 1, _MOST_HEAD + 1, 17_000, 60_000, 200_000])
    near = abs(wanted - _MOST_HEAD) < 1000
    statuses = {200, 431} if near else {200} if wanted < _MOST_HEAD else {431}
    return Part((f"X-Long: {'x' * (wanted - size)}",), frozenset(statuses))


def chunks(draw: Random, body: bytes, wrong: bool) -> bytes:
    """A body in chunks with extensions, and fields behind it."""
    content, left = b"", body
    while left:
        size = draw.randint(1, len(left))
        number = draw.choice(["%x", "%X", "000%x"]) % size
        extension = draw.choice(["", "", ";a", ";a=b", ';a="b;c"', ";" + "y" * 300])
        content += f"{number}{extension}\r\n".encode() + left[:size] + b"\r\n"
        left = left[size:]
    if wrong:
        return content + draw.choice(
            [b"g\r\n", b"-1\r\n", b"\r\n", b"0x0\r\n", b"f" * 17 + b"\r\n"]
        )
    trailers = ["", "", "X-Checksum: 1\r\n", "Content-Encoding: gzip\r\nX: y\r\n"]
    return content + b"0\r\n" + draw.choice(trailers).encode() + b"\r\n"


def _framed(draw: Random, body: bytes) -> tuple[list[Part], bytes]:
    """How the body is sent: headers, and the bytes behind them."""
    kind = draw.random()
    right = Part((f"Content-Length: {len(body)}",))
    if kind < 0.45:
        return [right], body
    if kind < 0.8:
        return [Part((CHUNKED,))], chunks(draw, body, wrong=False)
    wrong = Part(statuses=frozenset({400}), closes=True)
    if kind < 0.84:
        return [Part((CHUNKED,)), wrong], chunks(draw, body, wrong=True)
    if kind < 0.88:
        return [right, Part((CHUNKED,)), wrong], chunks(draw, body, wrong=False)
    chosen = draw.choice(CODINGS if kind < 0.94 else LENGTHS)
    name = "Transfer-Encoding" if kind < 0.94 else "Content-Length"
    lines = tuple(f"{name}: {each}" for each in chosen.lines or ("",))
    return [Part(lines, chosen.statuses, closes=True)], chunks(draw, body, wrong=False)


def wired(draw: Random) -> Wired:
    """One request."""
    method, target, route = _route(draw)
    version = draw.choices(["1.1", "1.0"], [9, 1])[0]
    parts = [route, draw.choice(HOSTS), draw.choice(CONNECTIONS), draw.choice(EXTRAS)]
    for odd in (ODD_HOSTS, ODD_EXTRAS, ENCODINGS):
        if draw.random() < 0.05:
            parts[1:2] = [draw.choice(odd)] if odd is ODD_HOSTS else [parts[1], draw.choice(odd)]
    after = b""
    if method == "POST" or draw.random() < 0.1:
        framing, after = _framed(draw, _BODY)
        parts += framing
    if draw.random() < 0.03:
        parts.append(_size(draw, target, [line for part in parts for line in part.lines]))
    identifier = f"id-{draw.getrandbits(48):x}" if method == "POST" else ""
    if identifier:
        parts.append(Part(("ce-specversion: 1.0", f"ce-id: {identifier}")))
    draw.shuffle(parts)
    lines = [f"{method} {target} HTTP/{version}", *(line for part in parts for line in part.lines)]
    content = "\r\n".join([*lines, "", ""]).encode() + after
    closes = version == "1.0" or any(each.closes for each in parts)
    # A request of HTTP/1.0 needs no host, and its codings mean nothing.
    statuses = _together(parts) | (OK if version == "1.0" else frozenset())
    return Wired(content, method, statuses, closes, identifier)


def _together(parts: Iterable[Part]) -> frozenset[int]:
    """What several parts may be answered with: 200 only if none is wrong."""
    sets = [each.statuses for each in parts]
    wrong = reduce(frozenset.union, sets, frozenset()) - OK
    return wrong | reduce(frozenset.intersection, sets, OK)
