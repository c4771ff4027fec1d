"""What a chat server means by a refusal."""

import re
from dataclasses import dataclass

_BUSY = {429, 502, 503, 504, 529}
_SPENT = "insufficient_quota"
_OF_A_PARAMETER = {400, 403, 422}
_OF_ONE_PROMPT = _OF_A_PARAMETER | {413, 451}
_FILTERED = re.compile(
    r"content.?filter|content.{0,12}(?:policy|management|risk|exists)|usage polic|moderation"
    r"|safety|flagged|inappropriate|prohibited.?content|data.?inspection|violat.{0,40}polic",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ServerRefusal:
    """An answer that is no success.

    Args:
        status: Of HTTP.
        said: The body.
    """

    status: int
    said: str

    @property
    def is_busy(self) -> bool:
        """Whether the server may answer later; one whose account has nothing left will not."""
        return self.status in _BUSY and _SPENT not in self.said

    @property
    def is_filtered(self) -> bool:
        """Whether it keeps back what it would say to a prompt, for what the prompt speaks of."""
        return _FILTERED.search(self.said) is not None

    @property
    def is_of_one_prompt(self) -> bool:
        """Whether it may concern what is in a request, so that others may be answered."""
        return self.status in _OF_ONE_PROMPT

    @property
    def is_of_a_parameter(self) -> bool:
        """Whether it may concern how the server is asked; some fail at what they do not know."""
        return self.status in _OF_A_PARAMETER or self.status >= 500
