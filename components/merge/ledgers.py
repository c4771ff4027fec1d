"""What the ledgers of the generate step add up to: yield and cost by model, rejections."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from components.artifacts.synthetic import AnswerLine, CandidateLine, read_ledger
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
    unparsed: set[tuple[str, int]] = field(default_factory=set)


def read_ledgers(paths: Iterable[Path]) -> LedgerSummary:
    """Add up ledgers line by line.

    Lines that cannot be read, such as a last one cut off when a run was stopped, are counted
    and left out: a ledger is a record, and nothing is trained on it.
    """
    tallies: dict[str, _Tally] = {}
    rejected: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    unreadable = 0
    for line in chain.from_iterable(map(read_ledger, paths)):
        if line is None:
            unreadable += 1
            continue
        _add(line, tallies.setdefault(line.origin.model, _Tally()))
        if isinstance(line, CandidateLine) and line.rejection:
            rejected[line.rejection] += 1
            _remember(line.text, examples.setdefault(line.rejection, []))
    if unreadable:
        _log.warning("merge: %d ledger lines could not be read and were left out", unreadable)
    return LedgerSummary(
        models=tuple(_model_yield(model, tally) for model, tally in tallies.items()),
        rejections=tuple(Rejection(r, n, tuple(examples[r])) for r, n in rejected.most_common()),
        unreadable_lines=unreadable,
    )


def _add(line: AnswerLine | CandidateLine, tally: _Tally) -> None:
    # Candidates name their answer by what was asked; the same may be asked again.
    request = (line.origin.label, line.origin.turn)
    if isinstance(line, AnswerLine):
        tally.unparsed.add(request)
        tally.counts["answers"] += 1
        tally.counts["prompt_tokens"] += line.prompt_tokens
        tally.counts["completion_tokens"] += line.completion_tokens
        tally.seconds += line.seconds
        return
    if request in tally.unparsed:
        tally.unparsed.remove(request)
        tally.counts["parsed"] += 1
    tally.counts["candidates"] += 1
    if not line.rejection:
        tally.accepted.append(line.text)


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
