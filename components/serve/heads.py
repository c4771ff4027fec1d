"""Rules of a request's head that the HTTP parser does not check.

Source: RFC 9112, sections 3.2 (Host), 6.1 (transfer codings); RFC 6585, section 5 (431)
"""

import re
from collections.abc import Iterable

from components.serve.answers import Refusal

Headers = Iterable[tuple[bytes, bytes]]

_HOST = re.compile(rb"(\[[\w:.%]+\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?", re.ASCII)
_SEPARATORS = len(b": \r\n")
_DIGITS = re.compile(r"[0-9]{1,20}")


def require_host(http_version: str, headers: Headers) -> None:
    """Refuse a request that does not name its host, or names several.

    Raises:
        Refusal: With status 400.
    """
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (not hosts and http_version != "1.0"):
        raise Refusal.malformed(f"a request must have one Host header, not {len(hosts)}")
    if hosts and not _HOST.fullmatch(hosts[0].strip()):
        raise Refusal.malformed("the Host header must be a host and perhaps a port")


def require_known_codings(headers: Headers) -> None:
    """Refuse a body that is encoded for its transfer, except in chunks.

    Raises:
        Refusal: With status 501.
    """
    codings = [value.strip().lower() for name, value in headers if name == b"transfer-encoding"]
    if codings not in ([], [b"chunked"]):
        raise Refusal(501, "the only transfer coding is `chunked` (Transfer-Encoding)")


def require_small_head(target: bytes, headers: Headers, most: int) -> None:
    """Refuse a head of more bytes than allowed.

    Raises:
        Refusal: With status 431.
    """
    size = len(target) + sum(len(name) + len(value) + _SEPARATORS for name, value in headers)
    if size > most:
        raise head_too_large()


def size_in(value: str) -> int | None:
    """The number of bytes that a header names; None if it names none of 64 bits."""
    # Python itself refuses to read more than 4300 digits.
    return int(value) if _DIGITS.fullmatch(value) else None


def head_too_large() -> Refusal:
    """Build the refusal of a head of more bytes than allowed."""
    return Refusal(431, "the headers are too large (max_header_bytes)", "max_header_bytes")
