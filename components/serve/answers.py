"""Refusals and other answers over HTTP."""

import orjson
from pydantic import BaseModel
from starlette.responses import Response

from components.serve.metrics import Metrics


class Refusal(Exception):  # noqa: N818
    """The refusal of a request.

    Args:
        status: HTTP status, 4xx or 503.
        message: The rule that the request breaks.
        bound: Name of the exceeded setting; empty if the request is malformed.
        retry_after: Seconds after which another try may succeed; 0 for never.
    """

    def __init__(self, status: int, message: str, bound: str = "", retry_after: int = 0) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.bound, self.retry_after = bound, retry_after

    @classmethod
    def malformed(cls, message: str) -> "Refusal":
        """Refuse a request that breaks a rule of its protocol."""
        return cls(400, message)

    @classmethod
    def overload(cls, bound: str, message: str) -> "Refusal":
        """Refuse a request for which there is no capacity at the moment."""
        return cls(503, message, bound, retry_after=1)


class Error(BaseModel):
    """The reason why there is no answer."""

    error: str


def json_answer(body: object, status: int = 200) -> Response:
    """Build an answer in JSON."""
    return Response(orjson.dumps(body), status, media_type="application/json")


def refused(refusal: Refusal, metrics: Metrics) -> Response:
    """Build the answer to a refused request, and count it."""
    if refusal.bound:
        metrics.refused(refusal.bound)
    answer = json_answer({"error": refusal.message}, refusal.status)
    if refusal.retry_after:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer


def readiness(ready: bool, **about: object) -> Response:
    """Build the answer that reports if requests are accepted."""
    return json_answer({**about, "ready": ready}, 200 if ready else 503)


def internal_error() -> Response:
    """Build the answer after an internal error; only the log states the cause."""
    return json_answer({"error": "internal error"}, 500)
