"""Settings of the outcome step."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class OutcomeSettings:
    """Places where the end of a run is reported, besides the step's own output."""

    registry: str = ""
    """Folder (path or URI) that keeps a copy at `runs/<run id>.json`; may be empty."""
    webhook_url: str = field(default="", repr=False)
    """URL, a secret, that receives a POST request with the record; may be empty."""
    webhook_pause_seconds: float = 5.0
    """Longest pause between two attempts to reach the webhook."""
