"""How a request is refused: an HTTP status and one sentence that names the bound or the rule."""


class Refusal(Exception):  # noqa: N818
    """A request that is not answered.

    Args:
        status: HTTP status, 4xx or 503.
        message: What is wrong, and what is allowed.
        bound: Name of the setting that was exceeded; empty if the request is malformed.
        retry_after: Seconds after which it may be worth another try; 0 for never.
    """

    def __init__(self, status: int, message: str, bound: str = "", retry_after: int = 0) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.bound, self.retry_after = bound, retry_after

    @classmethod
    def malformed(cls, message: str) -> "Refusal":
        """The request breaks a rule of its protocol."""
        return cls(400, message)

    @classmethod
    def overload(cls, bound: str, message: str) -> "Refusal":
        """There is too much to do at the moment."""
        return cls(503, message, bound, retry_after=1)
