"""The ledger: a line for every answer and every candidate ever produced."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import fsspec

from components import storage
from components.generate.llm import Answer, Request

ANSWER, CANDIDATE = "answer", "candidate"


class Ledger:
    """Keeps raw answers as they arrive and verdicts as they are given.

    An answer is on disk, and in the archive if there is one, before anything is made of it.
    A ledger that is opened again knows the answers it holds and never asks for them twice;
    their candidates are judged anew.

    Args:
        path: `ledger.jsonl`; what is there already is taken up.
        model: The LLM whose answers it holds.
        archive: Folder or URI (gs://, s3://) that keeps each answer as a file of its own, since
            object storage cannot append; empty for none.
    """

    def __init__(self, path: Path, model: str, archive: str = "") -> None:
        self._path = path
        self._model = model
        self._lock = threading.Lock()
        files: Any = None
        root = ""
        if archive:
            files, root = fsspec.core.url_to_fs(archive)
            files.makedirs(root, exist_ok=True)
        self._files, self._root = files, root
        self._answers = {line["fingerprint"]: line for line in self._recovered()}
        with storage.staged(path) as draft:
            lines = [json.dumps(line) + "\n" for line in self._answers.values()]
            draft.write_text("".join(lines), encoding="utf-8")

    def recording(
        self, ask: Callable[[Request], Awaitable[Answer]]
    ) -> Callable[[Request], Awaitable[Answer]]:
        """The same way of asking, but no recorded request is asked, and new ones are recorded."""

        async def ask_once(request: Request) -> Answer:
            stored = self._answers.get(request.fingerprint)
            if stored is not None:
                return _as_answer(request, stored)
            answer = await ask(request)
            await asyncio.to_thread(self._record, answer)
            return answer

        return ask_once

    @property
    def recovered(self) -> int:
        """How many answers were there when the ledger was opened."""
        return len(self._answers)

    def origin(self, request: Request) -> dict[str, Any]:
        """The provenance that the candidates of a request share."""
        return {"model": self._model, "turn": request.turn, **request.attributes}

    def candidate(self, row: Mapping[str, Any], rejection: str | None) -> None:
        """Record a candidate with its verdict and, if it was rejected, the reason."""
        verdict = "rejected" if rejection else "accepted"
        self._append({"kind": CANDIDATE, **row, "verdict": verdict, "reason": rejection or ""})

    def _record(self, answer: Answer) -> None:
        request = answer.request
        line = {
            "kind": ANSWER,
            "fingerprint": request.fingerprint,
            "label": request.label,
            **self.origin(request),
            "raw": answer.text,
            "finish_reason": answer.finish_reason,
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "seconds": round(answer.seconds, 3),
        }
        if self._files:
            self._files.pipe_file(f"{self._root}/{_file_name(line)}", json.dumps(line).encode())
        self._append(line)

    def _append(self, line: Mapping[str, Any]) -> None:
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _recovered(self) -> Iterator[dict[str, Any]]:
        if self._path.is_file():
            for text in self._path.read_text(encoding="utf-8").splitlines():
                yield from self._parsed(text)
        if self._files:
            for name in sorted(self._files.glob(f"{self._root}/*.json")):
                yield from self._parsed(self._files.cat_file(name).decode())

    def _parsed(self, text: str) -> Iterator[dict[str, Any]]:
        # A process that was killed may have left half a line.
        try:
            line = json.loads(text)
        except ValueError:
            return
        is_answer = isinstance(line, dict) and line.get("kind") == ANSWER
        if is_answer and line.get("model") == self._model:
            yield line


def _file_name(line: Mapping[str, Any]) -> str:
    identity = f"{line['model']} {line['fingerprint']}"
    return hashlib.sha256(identity.encode()).hexdigest()[:32] + ".json"


def _as_answer(request: Request, line: Mapping[str, Any]) -> Answer:
    return Answer(
        request=request,
        text=line["raw"],
        finish_reason=line["finish_reason"],
        prompt_tokens=line["prompt_tokens"],
        completion_tokens=line["completion_tokens"],
        seconds=line["seconds"],
    )
