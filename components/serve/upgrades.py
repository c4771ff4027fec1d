"""HTTP/1.1 with requests to upgrade that are ignored, as RFC 9110, section 7.8, allows.

Java's HttpClient asks for HTTP/2 with every request. httptools takes such a request to end after
its headers, and its body for the other protocol's: https://github.com/MagicStack/httptools/issues/124
"""

from collections.abc import Callable, Iterable, Iterator

import httptools

Head = tuple[bytes, bytes, Iterable[tuple[bytes, bytes]]]


class UpgradeIgnoringParser:
    """httptools' parser, which reads the head of a request to upgrade once more, as a plain one.

    Its callbacks therefore see that head twice, the first time with `should_upgrade`.

    Args:
        protocol: Receiver of the callbacks.
        head: Returns method, target and headers of the request whose head was read last.
    """

    def __init__(self, protocol: object, head: Callable[[], Head]) -> None:
        self._protocol, self._head = protocol, head
        self._parser = self._new_parser()

    def should_upgrade(self) -> bool:
        """Tell if the head that was read last will be read again; that of CONNECT is not."""
        return self._parser.should_upgrade() and self.get_method() != b"CONNECT"

    def should_keep_alive(self) -> bool:
        """Tell if the connection stays open after the request; nothing is read behind CONNECT."""
        return self._parser.should_keep_alive() and self.get_method() != b"CONNECT"

    def get_method(self) -> bytes:
        """Return the method of the request."""
        return self._parser.get_method()

    def get_http_version(self) -> str:
        """Return the version, as `1.1`."""
        return self._parser.get_http_version()

    def feed_data(self, data: bytes) -> None:
        """Read bytes of one or more requests.

        Raises:
            httptools.HttpParserError: If they are not HTTP.
        """
        rest = memoryview(data)
        while rest:
            try:
                self._parser.feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                if not self.should_upgrade():
                    raise
                (read,) = upgrade.args
                rest = rest[read:]
                self._read_again()
            else:
                return

    def _read_again(self) -> None:
        method, target, headers = self._head()
        lines = [b"%s %s HTTP/%s" % (method, target, self.get_http_version().encode())]
        lines += [b"%s: %s" % header for header in _without_upgrade(headers)]
        # The other parser is done if the request closes the connection.
        self._parser = self._new_parser()
        self._parser.feed_data(b"\r\n".join([*lines, b"", b""]))

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self._protocol)
        # As uvicorn sets it: what follows a request with `Connection: close` is ignored.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser


def _without_upgrade(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers:
        if name == b"connection":
            tokens = [each.strip() for each in value.split(b",")]
            yield name, b", ".join(each for each in tokens if each.lower() != b"upgrade")
        elif name != b"upgrade":
            yield name, value
