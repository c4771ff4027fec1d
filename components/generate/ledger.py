"""The ledger that a run writes, and resumes from."""

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
    UNUSABLE,
    AnswerLine,
    CandidateLine,
    Origin,
    parse_line,
    read_ledger,
)
from components.generate.request import Answer, Request

_ANSWER_FILE = re.compile(r"[0-9a-f]{32}\.json")


class Ledger:
    """Records raw answers as they arrive, and verdicts as they are reached.

    An answer is on disk, and in the archive if there is one, before its candidates are judged.
    A ledger that is opened again never repeats a request whose answer it holds; the candidates
    are judged again.

    Args:
        path: The ledger file; answers that it holds already are kept, also those of other LLMs.
        model: The LLM whose answers it holds.
        archive: Folder or URI (gs://, s3://) that keeps each answer as a separate file, since
            object storage cannot append; empty for none.
    """

    def __init__(self, path: Path, model: str, archive: str = "") -> None:
        self._path = path
        self._model = model
        self._lock = threading.Lock()
        self._archive = storage.open_store(archive) if archive else None
        found = list(self._recovered())
        self._answers = {line.fingerprint: line for line in found if line.origin.model == model}
        others = (line for line in found if line.origin.model != model)
        with storage.staged(path) as draft:
            kept = (json.dumps(line.to_json()) for line in chain(others, self._answers.values()))
            draft.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def recording(
        self, ask: Callable[[Request], Awaitable[Answer]]
    ) -> Callable[[Request], Awaitable[Answer]]:
        """Wrap a way of asking: recorded answers are reused, and new ones are recorded."""

        async def ask_once(request: Request) -> Answer:
            stored = self._answers.get(request.fingerprint)
            if stored is not None:
                return Answer(request, stored.completion)
            answer = await ask(request)
            if answer.completion.finish_reason != UNUSABLE:
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
        request = answer.request
        line = AnswerLine(request.fingerprint, self._origin(request), answer.completion)
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
        yield from (line for line in local if isinstance(line, AnswerLine))
        archived = map(parse_line, _archived(self._archive)) if self._archive else ()
        for line in archived:
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
