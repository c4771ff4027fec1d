"""The ledgers of generate in numbers: yield and cost of each LLM, and how well judges judge."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from components.artifacts.ledger_lines import (
    SURPLUS,
    AnswerLine,
    CandidateLine,
    JudgeLine,
    OpinionLine,
    RoundLine,
    read_ledger,
)
from components.merge.measures import distinct_n

_log = logging.getLogger(__name__)
_EXAMPLES = 3


@dataclass
class ModelYield:
    """The yield of one LLM, and its cost.

    Args:
        model: Its full reference.
        answers: Requests it answered.
        parsed: Answers with at least one candidate.
        candidates: Sentences found in the answers.
        texts: Candidates that generate accepted.
        prompt_tokens: Of all answers.
        completion_tokens: Of all answers.
        seconds: Of all answers, added up; each of several concurrent requests counts.
        attributes: How often each value of an attribute occurs in the accepted sentences.
    """

    model: str
    answers: int = 0
    parsed: int = 0
    candidates: int = 0
    texts: list[str] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    attributes: dict[str, Counter[str]] = field(default_factory=dict)
    _unparsed: set[tuple[str, int]] = field(default_factory=set)

    def add(self, line: AnswerLine | CandidateLine) -> None:
        """Count a ledger line."""
        # Candidates name their answer by its request, and a request may be repeated.
        request = (line.origin.label, line.origin.turn)
        if isinstance(line, AnswerLine):
            self._unparsed.add(request)
            self.answers += 1
            self.prompt_tokens += line.completion.prompt_tokens
            self.completion_tokens += line.completion.completion_tokens
            self.seconds += line.completion.seconds
            return
        if request in self._unparsed:
            self._unparsed.remove(request)
            self.parsed += 1
        if line.rejection == SURPLUS:
            if line.text in self.texts:
                self.texts.remove(line.text)
                self._count(line, -1)
            return
        self.candidates += 1
        if not line.rejection:
            self.texts.append(line.text)
            self._count(line, 1)

    def _count(self, line: CandidateLine, change: int) -> None:
        for name, value in line.origin.attributes.items():
            self.attributes.setdefault(name, Counter())[str(value)] += change

    @property
    def accepted(self) -> int:
        """Number of candidates that generate accepted."""
        return len(self.texts)

    @property
    def distinct_2(self) -> float:
        """Share of distinct word pairs in the accepted sentences, 0 to 1."""
        return distinct_n(self.texts, 2)

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def accepted_share(self) -> float:
        """Share of the candidates that were accepted, 0 to 1."""
        return self.accepted / self.candidates if self.candidates else 0.0

    @property
    def tokens_per_accepted(self) -> float | None:
        """Tokens paid for each accepted sentence; None without any."""
        return self.tokens / self.accepted if self.accepted else None

    @property
    def seconds_per_accepted(self) -> float | None:
        """Seconds spent on each accepted sentence; None without any."""
        return self.seconds / self.accepted if self.accepted else None


@dataclass
class JudgeRecord:
    """What a judge has judged, how often it is right, and its cost.

    Args:
        judge: The name of a classifier, or the full reference of an LLM.
        model: Full reference of the LLM whose texts it judged.
        opinions: Texts that it was asked about, the real ones included.
        without: Opinions of them that name no label.
        rows: Real rows that it was tried out on.
        right: Those that it labelled right.
        heard: Whether its opinions counted.
        tokens: Of all that was asked and answered.
        seconds: Of all answers, added up.
    """

    judge: str
    model: str = ""
    opinions: int = 0
    without: int = 0
    rows: int = 0
    right: int = 0
    heard: bool = False
    tokens: int = 0
    seconds: float = 0.0

    def add(self, line: OpinionLine | JudgeLine) -> None:
        """Count a ledger line."""
        if isinstance(line, JudgeLine):
            self.rows, self.right, self.heard = line.rows, line.right, line.heard
            return
        self.opinions += 1
        self.without += not line.probabilities
        self.tokens += line.prompt_tokens + line.completion_tokens
        self.seconds += line.seconds


@dataclass(frozen=True)
class Rejection:
    """A reason for rejection, the number of candidates, and the first few of them."""

    reason: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class LedgerSummary:
    """All ledgers in numbers: LLMs in order of appearance, the most frequent rejection first."""

    models: tuple[ModelYield, ...] = ()
    judges: tuple[JudgeRecord, ...] = ()
    rounds: tuple[RoundLine, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    unreadable_lines: int = 0


def read_ledgers(paths: Iterable[Path]) -> LedgerSummary:
    """Add up ledgers line by line.

    Lines that cannot be read, such as a last one cut off when a run was stopped, are counted
    and left out: a ledger is a record, and nothing is trained on it.
    """
    models: dict[str, ModelYield] = {}
    judges: dict[tuple[Path, str], JudgeRecord] = {}
    writers: dict[Path, str] = {}
    rounds: list[RoundLine] = []
    rejected: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    unreadable = 0
    for path, line in ((each, line) for each in paths for line in read_ledger(each)):
        if line is None:
            unreadable += 1
            continue
        if isinstance(line, OpinionLine | JudgeLine):
            judges.setdefault((path, line.judge), JudgeRecord(line.judge)).add(line)
            continue
        if isinstance(line, RoundLine):
            rounds.append(line)
            continue
        models.setdefault(line.origin.model, ModelYield(line.origin.model)).add(line)
        if isinstance(line, CandidateLine):
            # Of other LLMs a ledger holds answers alone.
            writers.setdefault(path, line.origin.model)
        if isinstance(line, CandidateLine) and line.rejection:
            rejected[line.rejection] += 1
            shown = examples.setdefault(line.rejection, [])
            if len(shown) < _EXAMPLES and line.text not in shown:
                shown.append(line.text)
    if unreadable:
        _log.warning("merge: %d ledger lines could not be read and were left out", unreadable)
    return LedgerSummary(
        models=tuple(models.values()),
        judges=tuple(
            replace(judge, model=writers.get(path, "")) for (path, _), judge in judges.items()
        ),
        rounds=tuple(rounds),
        rejections=tuple(Rejection(r, n, tuple(examples[r])) for r, n in rejected.most_common()),
        unreadable_lines=unreadable,
    )
