"""The outcome step: how a run ended, kept with its artifacts and sent to people."""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from components import storage
from components.artifacts.registry import RUNS
from components.errors import StepError
from components.outcome.settings import OutcomeSettings
from components.outcome.webhook import send

_log = logging.getLogger(__name__)
# KFP's own word, and that of the metadata store behind it.
_SUCCESS = {"SUCCEEDED", "COMPLETE"}


@dataclass(frozen=True)
class Outcome:
    """The end of a run.

    Args:
        pipeline: Name of the pipeline.
        run_id: The run.
        state: KFP's word for it: `SUCCEEDED`, `FAILED` or `CANCELLED`.
        error: Why it did not succeed, as far as KFP knows.
        ended: Time, in UTC as ISO 8601 writes it.

    Source: https://kubeflow-pipelines.readthedocs.io/en/latest/source/dsl.html
    """

    pipeline: str
    run_id: str
    state: str
    error: str = ""
    ended: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def text(self) -> str:
        """The outcome as a sentence for people."""
        word = "succeeded" if self.state in _SUCCESS else f"ended as {self.state}"
        reason = f": {self.error}" if self.error else ""
        return f"{self.pipeline}, run {self.run_id}, {word}{reason}"


def outcome(settings: OutcomeSettings, ended: Outcome, output: Path) -> None:
    """Write down how a run ended and report it; a report that fails does not fail the run.

    Args:
        settings: Where it is reported.
        ended: The end of the run.
        output: JSON file to write.
    """
    _log.info("outcome: %s", ended.text)
    record = json.dumps(asdict(ended), indent=2) + "\n"
    output.write_text(record, encoding="utf-8")
    if settings.registry:
        runs = f"{settings.registry.rstrip('/')}/{RUNS}"
        name = f"{ended.run_id}.json"
        _try(f"record at {runs}", lambda: storage.open_store(runs).write(name, record.encode()))
    if settings.webhook_url:
        content = {"text": ended.text, **asdict(ended)}
        pause = settings.webhook_pause_seconds
        _try("webhook", lambda: send(settings.webhook_url, content, pause))


def _try(what: str, report: Callable[[], None]) -> None:
    try:
        report()
    except Exception as error:  # noqa: BLE001 (whatever it is, the run has ended as it has)
        # Other errors may quote the webhook's URL, which is a secret.
        reason = error if isinstance(error, StepError) else type(error).__name__
        _log.warning("outcome: %s failed: %s", what, reason)
    else:
        _log.info("outcome: %s done", what)
