"""Requests and their answers, as metrics, the log and a collector see them, over any protocol."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import uuid4

from components.serve.predictor import Predictor

_log = logging.getLogger(__name__)
_ID_HEADERS = ("ce-id", "x-request-id")
_MOST_ID_CHARACTERS = 256


@dataclass(frozen=True)
class Message:
    """A request or an answer.

    Args:
        body: Its body.
        content_type: Media type of the body.
        json_length: Bytes of the body until its binary tensors; empty without those.
    """

    body: bytes
    content_type: str
    json_length: str = ""


@dataclass(frozen=True)
class Exchange:
    """A request and its answer.

    Args:
        id: The identifier that its client gave it, or a new one.
        request: The request; its body is empty if it was not read.
        response: The answer.
    """

    id: str
    request: Message
    response: Message


Collector = Callable[[Exchange], None]


class Reports:
    """Counts every exchange, and logs it as the settings say.

    Args:
        predictor: Its settings and metrics.
        collector: Called with every exchange that had a body; None for no calls.
    """

    def __init__(self, predictor: Predictor, collector: Collector | None = None) -> None:
        self._metrics, self._settings = predictor.metrics, predictor.settings
        self._collector = collector

    @property
    def collected(self) -> bool:
        """True if the bodies of answers are needed."""
        return self._collector is not None

    def report(
        self, route: str, status: int | str, seconds: float, ended: Callable[[], Exchange]
    ) -> None:
        """Report an exchange that has ended.

        Args:
            route: Template of the path, or name of the gRPC call.
            status: HTTP status, or name of a gRPC status; 0 if the client left before.
            seconds: Time until the answer.
            ended: Builds the exchange; called only if more than its outcome is reported.
        """
        self._metrics.request(route, status, seconds)
        if not (self._settings.log_requests or self._collector):
            return
        exchange = ended()
        if self._settings.log_requests:
            facts: dict[str, object] = {"id": exchange.id, "route": route, "status": status}
            facts |= {"milliseconds": round(1000 * seconds, 1), **self._size(exchange.request)}
            _log.info("request", extra={"facts": facts})
        if self._collector and exchange.request.body and status:
            self._collector(exchange)

    def _size(self, request: Message) -> dict[str, object]:
        size: dict[str, object] = {"bytes": len(request.body)}
        if self._settings.log_texts:
            size["body"] = request.body.decode(errors="replace")
        return size


def exchange_id(headers: Mapping[str, str]) -> str:
    """Find the identifier of a request in its headers, as KServe's logger does, or make one.

    Args:
        headers: Values by lower-case name.
    """
    for name in _ID_HEADERS:
        given = headers.get(name, "").strip()
        if given and given.isascii() and given.isprintable() and len(given) <= _MOST_ID_CHARACTERS:
            return given
    return str(uuid4())
