"""What was accepted so far, and what is still wanted."""

import logging
import time
from dataclasses import dataclass, field
from typing import Any

from components.checks import InputError
from components.generate import parse
from components.generate.curate import Curator
from components.generate.ledger import Ledger
from components.generate.llm import Answer
from components.task import Task

_log = logging.getLogger(__name__)
_PROGRESS_SECONDS = 5.0


@dataclass
class Harvest:
    """The sentences accepted so far, and how many are still wanted."""

    task: Task
    curator: Curator
    ledger: Ledger
    rows: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(init=False)
    answers: int = 0
    _model: str = ""
    _quota: int = 0
    _next_report: float = 0.0

    def __post_init__(self) -> None:
        self.counts = dict.fromkeys(self.task.names, 0)

    def start_model(self, reference: str, quota: int) -> None:
        """Go on with another model until each label has `quota` sentences."""
        self._model, self._quota = reference, quota

    @property
    def wanting(self) -> set[str]:
        """Labels that have not met the quota."""
        return {label for label, count in self.counts.items() if count < self._quota}

    def take(self, answer: Answer) -> None:
        """Record an answer, judge its candidates and keep the good ones."""
        self.answers += 1
        label = answer.request.label
        origin = self.ledger.answer(self._model, answer)
        for candidate in parse.candidates(parse.last_json(answer.text)):
            row = {"text": candidate.text, "label": label, **origin}
            rejection = (
                self.curator.rejection(candidate, label) if label in self.wanting else "quota met"
            )
            self.ledger.candidate(row, rejection)
            if rejection is None:
                self.rows.append(row)
                self.counts[label] += 1
        self._report()

    def require_quota(self, budget: int, allow_partial: bool) -> None:
        """Refuse to go on with too few sentences, unless a partial harvest is allowed.

        Raises:
            InputError: If a label has not met the quota; it shows the yield of each label.
        """
        if not self.wanting:
            return
        yields = ", ".join(f"{label} {n}/{self._quota}" for label, n in self.counts.items())
        reasons = ", ".join(f"{reason} {n}" for reason, n in self.ledger.reasons.most_common(5))
        if allow_partial and self.rows:
            _log.warning("generate: quota not met, going on with %s", yields)
            return
        raise InputError(
            f"model {self._model}",
            f"gave too few good sentences within {budget} requests a label: "
            f"{yields} (candidates: {reasons or 'none'})",
            "Raise request_budget, lower samples_per_label, set allow_partial or use a better LLM",
        )

    def _report(self) -> None:
        if self.wanting and time.monotonic() < self._next_report:
            return
        self._next_report = time.monotonic() + _PROGRESS_SECONDS
        counts = ", ".join(f"{label} {count}" for label, count in self.counts.items())
        total, wanted = sum(self.counts.values()), self._quota * len(self.counts)
        _log.info("generate: %d/%d after %d answers (%s)", total, wanted, self.answers, counts)
