"""The ledger that a run writes, and resumes from."""

import asyncio
import hashlib
import json
import re
import threading
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from components import storage
from components.artifacts.ledger_lines import (
    UNUSABLE,
    AnswerLine,
    CandidateLine,
    Line,
    OpinionLine,
    Origin,
    parse_line,
    read_ledger,
)
from components.artifacts.synthetic import LEDGER
from components.generate.request import Answer, Request

K = TypeVar("K")
L = TypeVar("L", AnswerLine, OpinionLine)
_ARCHIVED_FILE = re.compile(r"[0-9a-f]{32}\.json")


class Ledger:
    """Records raw answers and opinions as they arrive, and verdicts as they are reached.

    An answer is on disk, and in the archive if there is one, before its candidates are judged.
    A ledger that is opened again never repeats a request whose answer it holds, and asks for no
    opinion twice; the verdicts are reached again. What only the archive holds may be another
    branch's, and joins the ledger when it is asked for.

    Args:
        path: The ledger file; answers that it holds already are kept, also those of other LLMs.
        model: The LLM whose answers it holds.
        archive: Folder or URI (gs://, s3://) that keeps each answer and opinion as a separate
            file, since object storage cannot append; empty for none.
    """

    def __init__(self, path: Path, model: str, archive: str = "") -> None:
        self._path = path
        self._model = model
        self._lock = threading.Lock()
        self._archive = storage.open_store(archive) if archive else None
        found = list(read_ledger(path)) if path.is_file() else []
        self._answers, self._opinions = _by_question(found, model)
        archived = map(parse_line, _archived(self._archive)) if self._archive else ()
        self._more_answers, self._more_opinions = _by_question(archived, model)
        others = (
            line for line in found if isinstance(line, AnswerLine) and line.origin.model != model
        )
        with storage.staged(path) as draft:
            lines: Iterable[Line] = chain(others, self._answers.values(), self._opinions.values())
            kept = "".join(f"{json.dumps(line.to_json())}\n" for line in lines)
            draft.write_text(kept, encoding="utf-8")

    def recording(
        self, ask: Callable[[Request], Awaitable[Answer]]
    ) -> Callable[[Request], Awaitable[Answer]]:
        """Wrap a way of asking: recorded answers are reused, and new ones are recorded."""

        async def ask_once(request: Request) -> Answer:
            stored = self._known(self._answers, self._more_answers, request.fingerprint)
            if stored is not None:
                return Answer(request, stored.completion)
            answer = await ask(request)
            if answer.completion.finish_reason != UNUSABLE:
                await asyncio.to_thread(self._record, answer)
            return answer

        return ask_once

    def remembering(
        self, judge: str, give: Callable[[str], Awaitable[OpinionLine]], labels: Collection[str]
    ) -> Callable[[str], Awaitable[OpinionLine]]:
        """Wrap a way to get a judge's opinion: recorded ones are reused, and new ones recorded.

        Of a text that stands in several answers it is asked once, also if they come together.

        Args:
            judge: Its reference.
            give: Gives its opinion of a text.
            labels: Names of the labels; opinions of others are not reused.
        """
        under_way: dict[str, asyncio.Task[OpinionLine]] = {}

        async def give_and_keep(text: str) -> OpinionLine:
            opinion = await give(text)
            await asyncio.to_thread(self._keep, opinion)
            self._opinions[judge, text] = opinion
            return opinion

        async def give_once(text: str) -> OpinionLine:
            stored = self._known(self._opinions, self._more_opinions, (judge, text))
            if stored and set(stored.probabilities) in (set(), set(labels)):
                return stored
            if text not in under_way:
                under_way[text] = asyncio.create_task(give_and_keep(text))
                under_way[text].add_done_callback(lambda _: under_way.pop(text))
            # Who is cancelled cancels it for all who wait: they are all cancelled, at a run's end.
            return await under_way[text]

        return give_once

    @property
    def recovered(self) -> int:
        """Number of answers of the LLM that were there when the ledger was opened."""
        return len(self._answers.keys() | self._more_answers.keys())

    def judged(
        self, text: str, request: Request, rejection: str | None, probabilities: Mapping[str, float]
    ) -> CandidateLine:
        """Record a candidate with the reason why it was rejected, None if it was accepted."""
        line = CandidateLine(text, self._origin(request), rejection or "", probabilities)
        self.write(line)
        return line

    def write(self, line: Line) -> None:
        """Add a line."""
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line.to_json()) + "\n")

    def _record(self, answer: Answer) -> None:
        request = answer.request
        self._keep(AnswerLine(request.fingerprint, self._origin(request), answer.completion))

    def _keep(self, line: AnswerLine | OpinionLine) -> None:
        if self._archive:
            self._archive.write(_file_name(line), json.dumps(line.to_json()).encode())
        self.write(line)

    def _origin(self, request: Request) -> Origin:
        return Origin(request.label, self._model, request.turn, request.attributes)

    def _known(self, here: dict[K, L], more: dict[K, L], question: K) -> L | None:
        if question in more and question not in here:
            here[question] = more[question]
            self.write(here[question])
        return here.get(question)


def _by_question(
    lines: Iterable[Line | None], model: str
) -> tuple[dict[str, AnswerLine], dict[tuple[str, str], OpinionLine]]:
    """The answers of an LLM, and all opinions, by what was asked."""
    answers, opinions = {}, {}
    for line in lines:
        if isinstance(line, AnswerLine) and line.origin.model == model:
            answers[line.fingerprint] = line
        if isinstance(line, OpinionLine):
            opinions[line.judge, line.text] = line
    return answers, opinions


def lines_of(place: Path) -> Iterator[Line | None]:
    """Read a ledger file, a folder that generate wrote, or an archive; nothing if it is neither."""
    if (place / LEDGER).is_file():
        place = place / LEDGER
    if place.is_file():
        yield from read_ledger(place)
    elif place.is_dir():
        files = (path for path in sorted(place.iterdir()) if _ARCHIVED_FILE.fullmatch(path.name))
        yield from (parse_line(path.read_text("utf-8", errors="replace")) for path in files)


def _archived(archive: storage.Store) -> Iterator[str]:
    sizes = archive.sizes()
    answers = {name: sizes[name] for name in sorted(sizes) if _ARCHIVED_FILE.fullmatch(name)}
    with TemporaryDirectory() as scratch:
        storage.download(archive, answers, Path(scratch))
        for name in answers:
            yield (Path(scratch) / name).read_text(encoding="utf-8")


def _file_name(line: AnswerLine | OpinionLine) -> str:
    if isinstance(line, AnswerLine):
        identity = f"{line.origin.model} {line.fingerprint}"
    else:
        identity = f"{line.judge} on {line.text}"
    return hashlib.sha256(identity.encode(errors="surrogatepass")).hexdigest()[:32] + ".json"
