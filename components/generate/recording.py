"""A ledger of an earlier run, whose answers take the place of an LLM's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from components import storage
from components.artifacts.ledger_lines import AnswerLine
from components.artifacts.synthetic import LEDGER, RECORDED
from components.artifacts.task import Label
from components.errors import InputError
from components.generate.ledger import lines_of
from components.generate.request import Answer, Request


@dataclass(frozen=True)
class Recording:
    """The answers of a ledger by label, in the order of their requests.

    A request of a recording is numbered like any other; it has the attributes of the request that
    was answered then, and names the LLM that answered as `recorded_from`. Which texts the schema of
    that time cut off is not known.

    Args:
        answers: Recorded answers of each label.
    """

    answers: Mapping[str, Sequence[AnswerLine]]

    def request(self, label: Label, turn: int) -> Request | None:
        """The request whose answer was recorded as number `turn` of a label; None if none was."""
        lines = self.answers[label.name]
        if turn >= len(lines):
            return None
        line = lines[turn]
        return Request(
            label=label.name,
            turn=turn,
            attributes={"recorded_from": line.origin.model, **line.origin.attributes},
            messages=[{"role": "user", "content": f"recorded answer {line.fingerprint}"}],
            schema={},
            max_tokens=line.completion.completion_tokens,
            temperature=0.0,
            seed=turn,
        )

    @property
    def most_turns(self) -> int:
        """Number of answers for the label that has most."""
        return max(map(len, self.answers.values()))

    async def ask(self, request: Request) -> Answer:
        """The recorded answer to a request of this recording; it costs nothing again."""
        recorded = self.answers[request.label][request.turn].completion
        free = replace(recorded, prompt_tokens=0, completion_tokens=0, seconds=0.0)
        return Answer(request, free)


def read_recording(location: str, labels: Sequence[str]) -> Recording:
    """Read the answers of a ledger.

    Args:
        location: Path or URI of a `ledger.jsonl`, of a folder that generate wrote, or of an
            archive (`generate_options.ledger`); a pin (`@sha256:`) may follow.
        labels: Names of the labels; answers for others are left out.

    Raises:
        InputError: If there is no ledger, or it holds no answer for one of the labels.
    """
    with TemporaryDirectory() as downloads:
        lines = list(lines_of(storage.fetch(location, Path(downloads))))
    if not lines:
        fix = "Give a ledger.jsonl, the folder of a run that wrote one, or an archive of answers"
        raise InputError(RECORDED + location, f"has no file {LEDGER} and no archived answers", fix)
    found = sorted(
        (line for line in lines if isinstance(line, AnswerLine)),
        key=lambda line: line.origin.turn,
    )
    answers = {name: [line for line in found if line.origin.label == name] for name in labels}
    if absent := [name for name, lines in answers.items() if not lines]:
        rule = f"holds no answer for {', '.join(absent)}"
        fix = "Give the ledger.jsonl of a run of this task"
        raise InputError(RECORDED + location, rule, fix)
    return Recording(answers)


def require_elsewhere(location: str, output: Path, archive: str) -> None:
    """Refuse to replay what would be written at the same time.

    Args:
        location: Path or URI of what is replayed; a pin may follow.
        output: The folder that the run writes.
        archive: Folder or URI that keeps the run's answers; may be empty.

    Raises:
        InputError: If the ledger or the archive that is replayed is the run's own.
    """
    place = _place(location.partition(storage.PIN)[0])
    if place in (output.resolve(), (output / LEDGER).resolve()):
        fix = "Choose another output, or copy the ledger"
        raise InputError(RECORDED + location, "is the ledger that this run would write", fix)
    if archive and place == _place(archive):
        fix = "Choose another generate_options.ledger, or leave it empty"
        raise InputError(RECORDED + location, "is the archive that this run would write to", fix)


def _place(uri: str) -> Path | str:
    """A path or URI in a form that is the same for all its spellings."""
    path = storage.local_path(uri)
    return path.resolve() if path else uri.rstrip("/")
