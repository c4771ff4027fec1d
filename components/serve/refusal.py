"""The refusal of a request: an HTTP status and a sentence that names the bound or the rule."""


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
