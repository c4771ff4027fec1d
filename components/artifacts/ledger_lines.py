"""The lines of a ledger: a line per answer, opinion, judge, round and candidate, as they arrive."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from components.artifacts.synthetic import LABEL_PROBABILITIES

ACCEPTED, REJECTED = "accepted", "rejected"
UNUSABLE = "unusable"
"""Finish reason of an answer without a message, which is worth asking for again."""
SURPLUS = "surplus"
"""Reason against a sentence that was accepted before, and of which there are enough."""
_ANSWER, _OPINION, _JUDGE, _ROUND = "answer", "opinion", "judge", "round"
_CANDIDATE = "candidate"


@dataclass(frozen=True)
class Origin:
    """The request that a sentence comes from.

    Args:
        label: Name of the label that sentences were asked for.
        model: Full reference of the LLM.
        turn: Number of earlier requests for this label.
        attributes: What else the prompt asked for.
    """

    label: str
    model: str
    turn: int
    attributes: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """One JSON-ready mapping, in which the attributes are fields like the others."""
        fields = {"label": self.label, "model": self.model, "turn": self.turn}
        return {**fields, **self.attributes}


@dataclass(frozen=True)
class Completion:
    """The answer of the LLM to a request, and its cost.

    Args:
        raw: The answer as it came.
        finish_reason: Why it ends: `stop` or `length`; why it is empty: `content_filter`,
            `refusal`, `thoughts`, `refused_request` or `UNUSABLE`.
        prompt_tokens: Length of the request.
        completion_tokens: Length of the answer.
        seconds: Time from the request to the answer.
        first_token: The likeliest first tokens with their log-probabilities, if they were asked
            for and the server tells.
    """

    raw: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    first_token: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class AnswerLine:
    """A ledger line: an answer, its request, and the hash of all that decides the answer."""

    fingerprint: str
    origin: Origin
    completion: Completion

    def to_json(self) -> dict[str, Any]:
        """The line as a JSON-ready mapping."""
        head = {"kind": _ANSWER, "fingerprint": self.fingerprint, **self.origin.to_json()}
        answer = asdict(self.completion)
        # Only judges ask for it, and their answers are opinions.
        del answer["first_token"]
        return {**head, **answer}


@dataclass(frozen=True)
class OpinionLine:
    """A ledger line: which label a judge sees in a text, and what asking cost.

    Args:
        text: What was judged.
        judge: Who judged: the name of a classifier, or the full reference of an LLM.
        probabilities: Of each label, by name; what they lack to 1 is the probability that the text
            shows none. Empty if the judge had no opinion.
        prompt_tokens: Length of all that was asked.
        completion_tokens: Length of all answers.
        seconds: Time that all answers took.
    """

    text: str
    judge: str
    probabilities: Mapping[str, float]
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The line as a JSON-ready mapping."""
        return {"kind": _OPINION, **asdict(self)}


@dataclass(frozen=True)
class JudgeLine:
    """A ledger line: how well a judge labels real texts, and whether it was heard.

    Args:
        judge: Who judges: the name of a classifier, or the full reference of an LLM.
        rows: Number of real train rows that it was tried out on.
        right: Number of those that it labelled right.
        heard: Whether its opinions counted from then on.
    """

    judge: str
    rows: int
    right: int
    heard: bool

    def to_json(self) -> dict[str, Any]:
        """The line as a JSON-ready mapping."""
        return {"kind": _JUDGE, **asdict(self)}


@dataclass(frozen=True)
class RoundLine:
    """A ledger line: what a quick classifier has learnt when a round of requests is over.

    Args:
        model: Full reference of the LLM that was asked.
        number: Of the round, from 1; 0 is the state before the first.
        accepted: Sentences accepted so far, by label name.
        rows: Number of real train rows that were held out.
        accuracy: Share of those that it labels right.
        macro_f1: Mean F1 of their labels.
        confused: For each label, the labels that it is taken for, with the number of mistakes;
            those that the next round, if there is one, aims at.
    """

    model: str
    number: int
    accepted: Mapping[str, int]
    rows: int
    accuracy: float
    macro_f1: float
    confused: Mapping[str, Mapping[str, int]]

    def to_json(self) -> dict[str, Any]:
        """The line as a JSON-ready mapping."""
        return {"kind": _ROUND, **asdict(self)}


@dataclass(frozen=True)
class CandidateLine:
    """A ledger line: a sentence found in an answer, and why it was rejected, "" if it was not.

    Args:
        text: The sentence.
        origin: The request whose answer holds it.
        rejection: Why it was rejected.
        label_probabilities: Of each label, by name, as a judge sees them; empty without one.
    """

    text: str
    origin: Origin
    rejection: str = ""
    label_probabilities: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The line as a JSON-ready mapping."""
        verdict = REJECTED if self.rejection else ACCEPTED
        return {"kind": _CANDIDATE, **self.to_row(), "verdict": verdict, "reason": self.rejection}

    def to_row(self) -> dict[str, Any]:
        """The sentence as the list of accepted ones holds it."""
        row = {"text": self.text, **self.origin.to_json()}
        if self.label_probabilities:
            row[LABEL_PROBABILITIES] = dict(self.label_probabilities)
        return row


def surplus_line(row: Mapping[str, Any]) -> CandidateLine:
    """The line about an accepted sentence (`CandidateLine.to_row`) that is not needed."""
    fields = dict(row)
    text, told = str(fields.pop("text")), fields.pop(LABEL_PROBABILITIES, {})
    return CandidateLine(text, _origin(fields), SURPLUS, told)


Line = AnswerLine | OpinionLine | JudgeLine | RoundLine | CandidateLine


def read_ledger(path: Path) -> Iterator[Line | None]:
    """Read a ledger line by line; None stands for a line that `parse_line` cannot read."""
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from map(parse_line, file)


def parse_line(text: str) -> Line | None:
    """Read one ledger line; None if it is broken, as a process that was killed may leave it."""
    try:
        fields = json.loads(text)
        kind = fields.pop("kind")
        readers: Mapping[str, Callable[[dict[str, Any]], Line]] = {
            _ANSWER: _answer,
            _OPINION: _opinion,
            _JUDGE: _judge,
            _ROUND: _round,
            _CANDIDATE: _candidate,
        }
        return readers[kind](fields)
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError):
        return None


def _answer(fields: dict[str, Any]) -> AnswerLine:
    fingerprint, raw, finish_reason = map(fields.pop, ("fingerprint", "raw", "finish_reason"))
    prompt, answer, seconds = map(fields.pop, ("prompt_tokens", "completion_tokens", "seconds"))
    # A server may count no tokens.
    cost = (int(prompt or 0), int(answer or 0), float(seconds))
    return AnswerLine(fingerprint, _origin(fields), Completion(str(raw), str(finish_reason), *cost))


def _opinion(fields: dict[str, Any]) -> OpinionLine:
    prompt, answer = (int(fields[name]) for name in ("prompt_tokens", "completion_tokens"))
    probabilities = _probabilities(fields["probabilities"])
    text, judge, seconds = str(fields["text"]), str(fields["judge"]), float(fields["seconds"])
    return OpinionLine(text, judge, probabilities, prompt, answer, seconds)


def _judge(fields: dict[str, Any]) -> JudgeLine:
    rows, right = int(fields["rows"]), int(fields["right"])
    return JudgeLine(str(fields["judge"]), rows, right, bool(fields["heard"]))


def _round(fields: dict[str, Any]) -> RoundLine:
    number, rows = int(fields["number"]), int(fields["rows"])
    confused = {str(name): _counts(each) for name, each in fields["confused"].items()}
    scores = float(fields["accuracy"]), float(fields["macro_f1"])
    accepted, model = _counts(fields["accepted"]), str(fields["model"])
    return RoundLine(model, number, accepted, rows, *scores, confused)


def _candidate(fields: dict[str, Any]) -> CandidateLine:
    text, verdict, reason = map(fields.pop, ("text", "verdict", "reason"))
    probabilities = _probabilities(fields.pop(LABEL_PROBABILITIES, {}))
    rejection = str(reason) if verdict == REJECTED else ""
    return CandidateLine(str(text), _origin(fields), rejection, probabilities)


def _probabilities(found: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): float(value) for name, value in found.items()}


def _counts(found: Mapping[str, Any]) -> dict[str, int]:
    return {str(name): int(value) for name, value in found.items()}


def _origin(fields: dict[str, Any]) -> Origin:
    label, model, turn = map(fields.pop, ("label", "model", "turn"))
    return Origin(str(label), str(model), int(turn), fields)
