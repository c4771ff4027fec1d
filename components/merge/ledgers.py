"""What the ledgers of the generate step add up to: yield and cost by model, rejections."""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from components.merge.diversity import distinct_n

_EXAMPLES = 3

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelYield:
    """What one LLM gave and what it cost.

    Args:
        model: Its full reference.
        answers: Requests it answered.
        parsed: Answers with at least one candidate.
        candidates: Sentences found in the answers.
        accepted: Candidates that generate kept.
        prompt_tokens: Of all answers.
        completion_tokens: Of all answers.
        seconds: Of all answers, added up; requests that ran side by side count each.
        distinct_2: Share of different word pairs in the accepted sentences, 0 to 1.
    """

    model: str
    answers: int
    parsed: int
    candidates: int
    accepted: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    distinct_2: float

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def accepted_share(self) -> float:
        """Accepted candidates, as a share of all, 0 to 1."""
        return self.accepted / self.candidates if self.candidates else 0.0

    @property
    def tokens_per_accepted(self) -> float | None:
        """Tokens paid for each accepted sentence; None without any."""
        return self.tokens / self.accepted if self.accepted else None

    @property
    def seconds_per_accepted(self) -> float | None:
        """Seconds spent on each accepted sentence; None without any."""
        return self.seconds / self.accepted if self.accepted else None


@dataclass(frozen=True)
class Rejection:
    """A reason why candidates were rejected, how often, and the first few of them."""

    reason: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class LedgerSummary:
    """All ledgers in numbers: models in order of appearance, most frequent rejection first."""

    models: tuple[ModelYield, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    unreadable_lines: int = 0


@dataclass
class _Tally:
    counts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    accepted: list[str] = field(default_factory=list)
    unparsed: set[tuple[str, str]] = field(default_factory=set)


def read_ledgers(paths: Iterable[Path]) -> LedgerSummary:
    """Add up ledgers line by line.

    Lines that cannot be read, such as a last one cut off when a run was stopped, are counted
    and left out: a ledger is a record, and nothing is trained on it.
    """
    tallies: dict[str, _Tally] = {}
    rejected: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    unreadable = 0
    for line in chain.from_iterable(map(_lines, paths)):
        if line is None:
            unreadable += 1
            continue
        _add(line, tallies.setdefault(str(line.get("model")), _Tally()))
        if line.get("verdict") == "rejected":
            reason = str(line.get("reason"))
            rejected[reason] += 1
            _remember(str(line.get("text")), examples.setdefault(reason, []))
    if unreadable:
        _log.warning("merge: %d ledger lines could not be read and were left out", unreadable)
    return LedgerSummary(
        models=tuple(_model_yield(model, tally) for model, tally in tallies.items()),
        rejections=tuple(Rejection(r, n, tuple(examples[r])) for r, n in rejected.most_common()),
        unreadable_lines=unreadable,
    )


def _lines(path: Path) -> Iterator[dict[str, Any] | None]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for text in file:
            try:
                line = json.loads(text)
            except ValueError:
                line = None
            known = isinstance(line, dict) and line.get("kind") in ("answer", "candidate")
            yield line if known else None


def _add(line: Mapping[str, Any], tally: _Tally) -> None:
    # Candidates name their answer by what was asked; the same may be asked again.
    request = (str(line.get("label")), str(line.get("turn")))
    if line["kind"] == "answer":
        tally.unparsed.add(request)
        tally.counts["answers"] += 1
        tally.counts["prompt_tokens"] += line.get("prompt_tokens") or 0
        tally.counts["completion_tokens"] += line.get("completion_tokens") or 0
        tally.seconds += line.get("seconds") or 0.0
        return
    if request in tally.unparsed:
        tally.unparsed.remove(request)
        tally.counts["parsed"] += 1
    tally.counts["candidates"] += 1
    if line.get("verdict") == "accepted":
        tally.accepted.append(str(line.get("text")))


def _remember(text: str, examples: list[str]) -> None:
    if len(examples) < _EXAMPLES and text not in examples:
        examples.append(text)


def _model_yield(model: str, tally: _Tally) -> ModelYield:
    return ModelYield(
        model=model,
        answers=tally.counts["answers"],
        parsed=tally.counts["parsed"],
        candidates=tally.counts["candidates"],
        accepted=len(tally.accepted),
        prompt_tokens=tally.counts["prompt_tokens"],
        completion_tokens=tally.counts["completion_tokens"],
        seconds=tally.seconds,
        distinct_2=distinct_n(tally.accepted, 2),
    )
