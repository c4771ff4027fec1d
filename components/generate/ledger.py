"""The ledger: a line for every answer and every candidate ever produced."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.generate.llm import Answer


@dataclass
class Ledger:
    """Appends to `ledger.jsonl`; each line is on disk before the next is written.

    Answers are kept raw, whether they parse or not, so nothing paid for is lost.
    """

    path: Path
    reasons: Counter[str] = field(default_factory=Counter)

    def answer(self, model: str, answer: Answer) -> dict[str, Any]:
        """Record a raw answer; returns the provenance its candidates share."""
        request = answer.request
        origin = {"model": model, "turn": request.turn, **request.attributes}
        self._append(
            {
                "kind": "answer",
                "label": request.label,
                **origin,
                "raw": answer.text,
                "finish_reason": answer.finish_reason,
                "prompt_tokens": answer.prompt_tokens,
                "completion_tokens": answer.completion_tokens,
                "seconds": round(answer.seconds, 3),
            }
        )
        return origin

    def candidate(self, row: dict[str, Any], rejection: str | None) -> None:
        """Record a candidate with its verdict and, if it was rejected, the reason."""
        verdict = "rejected" if rejection else "accepted"
        self.reasons[rejection or verdict] += 1
        self._append({"kind": "candidate", **row, "verdict": verdict, "reason": rejection or ""})

    def _append(self, line: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
