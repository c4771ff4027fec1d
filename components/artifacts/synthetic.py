"""The synthetic sentences of one LLM, and the ledger of all that it was asked and answered.

generate writes a folder of two files, which merge reads:

| file | content |
| --- | --- |
| `synthetic_emotions.json` | a list of the accepted sentences: `text`, `label` and their origin |
| `ledger.jsonl` | one line per answer and per candidate sentence, in the order of their arrival |
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from components import storage
from components.data_files import read_json
from components.errors import InputError

SENTENCES = "synthetic_emotions.json"
LEDGER = "ledger.jsonl"
RECORDED = "recorded:"
"""Begins the reference of a model whose sentences were replayed from a ledger."""

ACCEPTED, REJECTED = "accepted", "rejected"
UNUSABLE = "unusable"
"""Finish reason of an answer without a message, which is worth asking for again."""
_ANSWER, _CANDIDATE = "answer", "candidate"


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
    """

    raw: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


@dataclass(frozen=True)
class AnswerLine:
    """A ledger line: an answer, its request, and the hash of all that decides the answer."""

    fingerprint: str
    origin: Origin
    completion: Completion

    def to_json(self) -> dict[str, Any]:
        """The line as a JSON-ready mapping."""
        head = {"kind": _ANSWER, "fingerprint": self.fingerprint, **self.origin.to_json()}
        return {**head, **asdict(self.completion)}


@dataclass(frozen=True)
class CandidateLine:
    """A ledger line: a sentence found in an answer, and why it was rejected, "" if it was not."""

    text: str
    origin: Origin
    rejection: str = ""

    def to_json(self) -> dict[str, Any]:
        """The line as a JSON-ready mapping."""
        verdict = REJECTED if self.rejection else ACCEPTED
        return {"kind": _CANDIDATE, **self.to_row(), "verdict": verdict, "reason": self.rejection}

    def to_row(self) -> dict[str, Any]:
        """The sentence as the list of accepted ones holds it."""
        return {"text": self.text, **self.origin.to_json()}


def write_sentences(rows: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Write accepted sentences, so that the file is complete or not there."""
    with storage.staged(folder / SENTENCES) as draft:
        draft.write_text(json.dumps(list(rows), indent=1) + "\n", encoding="utf-8")


def read_sentences(folder: Path) -> list[dict[str, Any]]:
    """Read accepted sentences; their texts and labels are for the reader to check.

    Raises:
        InputError: If the file is missing, or does not hold a list of objects.
    """
    path, fix = folder / SENTENCES, "Give the folder that generate wrote"
    rows = read_json(path, fix)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(str(path), "must hold a list with one object per sentence", fix)
    return rows


def read_ledger(path: Path) -> Iterator[AnswerLine | CandidateLine | None]:
    """Read a ledger line by line; None stands for a line that `parse_line` cannot read."""
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from map(parse_line, file)


def parse_line(text: str) -> AnswerLine | CandidateLine | None:
    """Read one ledger line; None if it is broken, as a process that was killed may leave it."""
    try:
        fields = json.loads(text)
        kind = fields.pop("kind")
        if kind == _ANSWER:
            return _answer(fields)
        return _candidate(fields) if kind == _CANDIDATE else None
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError):
        return None


def _answer(fields: dict[str, Any]) -> AnswerLine:
    fingerprint, raw, finish_reason = map(fields.pop, ("fingerprint", "raw", "finish_reason"))
    prompt, answer, seconds = map(fields.pop, ("prompt_tokens", "completion_tokens", "seconds"))
    # A server may count no tokens.
    cost = (int(prompt or 0), int(answer or 0), float(seconds))
    return AnswerLine(fingerprint, _origin(fields), Completion(str(raw), str(finish_reason), *cost))


def _candidate(fields: dict[str, Any]) -> CandidateLine:
    text, verdict, reason = map(fields.pop, ("text", "verdict", "reason"))
    return CandidateLine(str(text), _origin(fields), str(reason) if verdict == REJECTED else "")


def _origin(fields: dict[str, Any]) -> Origin:
    label, model, turn = map(fields.pop, ("label", "model", "turn"))
    return Origin(str(label), str(model), int(turn), fields)
