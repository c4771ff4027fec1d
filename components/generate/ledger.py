"""The ledger: a line for every answer and every candidate ever produced."""

import asyncio
import hashlib
import json
import re
import threading
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from components import storage
from components.artifacts.synthetic import (
    AnswerLine,
    CandidateLine,
    Origin,
    parse_line,
    read_ledger,
)
from components.generate.llm import Answer, Request

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
        self._answers = {line.fingerprint: line for line in self._recovered()}
        with storage.staged(path) as draft:
            lines = [json.dumps(line.to_json()) + "\n" for line in self._answers.values()]
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
        """Number of answers that were there when the ledger was opened."""
        return len(self._answers)

    def judged(self, text: str, request: Request, rejection: str | None) -> CandidateLine:
        """Record a candidate with the reason why it was rejected, None if it was accepted."""
        line = CandidateLine(text, self._origin(request), rejection or "")
        self._append(line)
        return line

    def _record(self, answer: Answer) -> None:
        line = AnswerLine(
            fingerprint=answer.request.fingerprint,
            origin=self._origin(answer.request),
            raw=answer.text,
            finish_reason=answer.finish_reason,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            seconds=answer.seconds,
        )
        if self._archive:
            self._archive.write(_file_name(line), json.dumps(line.to_json()).encode())
        self._append(line)

    def _origin(self, request: Request) -> Origin:
        return Origin(request.label, self._model, request.turn, request.attributes)

    def _append(self, line: AnswerLine | CandidateLine) -> None:
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line.to_json()) + "\n")

    def _recovered(self) -> Iterator[AnswerLine]:
        local = read_ledger(self._path) if self._path.is_file() else ()
        archived = map(parse_line, _archived(self._archive)) if self._archive else ()
        for line in chain(local, archived):
            if isinstance(line, AnswerLine) and line.origin.model == self._model:
                yield line


def _archived(archive: storage.Store) -> Iterator[str]:
    sizes = archive.sizes()
    answers = {name: sizes[name] for name in sorted(sizes) if _ANSWER_FILE.fullmatch(name)}
    with TemporaryDirectory() as scratch:
        storage.download(archive, answers, Path(scratch))
        for name in answers:
            yield (Path(scratch) / name).read_text(encoding="utf-8")


def _file_name(line: AnswerLine) -> str:
    identity = f"{line.origin.model} {line.fingerprint}"
    return hashlib.sha256(identity.encode()).hexdigest()[:32] + ".json"


def _as_answer(request: Request, line: AnswerLine) -> Answer:
    return Answer(
        request=request,
        text=line.raw,
        finish_reason=line.finish_reason,
        prompt_tokens=line.prompt_tokens,
        completion_tokens=line.completion_tokens,
        seconds=line.seconds,
    )
