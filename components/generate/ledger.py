"""The ledger: a line for every answer and every candidate ever produced."""

import asyncio
import hashlib
import json
import re
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components import storage
from components.generate.llm import Answer, Request

ANSWER, CANDIDATE = "answer", "candidate"

_ANSWER_FILE = re.compile(r"[0-9a-f]{32}\.json")


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
        self._archive = storage.open_store(archive) if archive else None
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
        if self._archive:
            self._archive.write(_file_name(line), json.dumps(line).encode())
        self._append(line)

    def _append(self, line: Mapping[str, Any]) -> None:
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _recovered(self) -> Iterator[dict[str, Any]]:
        if self._path.is_file():
            for text in self._path.read_text(encoding="utf-8").splitlines():
                yield from self._parsed(text)
        if self._archive:
            for text in _archived(self._archive):
                yield from self._parsed(text)

    def _parsed(self, text: str) -> Iterator[dict[str, Any]]:
        # A process that was killed may have left half a line.
        try:
            line = json.loads(text)
        except ValueError:
            return
        is_answer = isinstance(line, dict) and line.get("kind") == ANSWER
        if is_answer and line.get("model") == self._model:
            yield line


def _archived(archive: storage.Store) -> Iterator[str]:
    sizes = archive.sizes()
    answers = {name: sizes[name] for name in sorted(sizes) if _ANSWER_FILE.fullmatch(name)}
    with TemporaryDirectory() as scratch:
        storage.download(archive, answers, Path(scratch))
        for name in answers:
            yield (Path(scratch) / name).read_text(encoding="utf-8")


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
