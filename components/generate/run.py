"""The generate step: asks an LLM for sentences until every label has its quota."""

import asyncio
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from components import storage
from components.artifacts.evaluation import read_evaluation
from components.artifacts.model.encoder import SentenceEncoder, load_encoder
from components.artifacts.synthetic import LEDGER, RECORDED, SENTENCES, write_sentences
from components.artifacts.task import Task, load_task
from components.errors import InputError
from components.generate.classifier_judge import drawn
from components.generate.curate import Curator
from components.generate.engines import parse_model
from components.generate.harvest import Harvest
from components.generate.interview import Interview, servers_of
from components.generate.judge import context_needed
from components.generate.ledger import Ledger
from components.generate.letters import require_letters
from components.generate.prompts import Prompts
from components.generate.recording import Recording, read_recording
from components.generate.request import Request
from components.generate.rounds import Rounds, requests
from components.generate.selection import chosen
from components.generate.settings import ENCODER, GenerateSettings
from components.generate.study import Study
from components.generate.style import load_style
from components.merge.settings import MergeSettings
from components.quick_classifier import Embed, Labelled

_log = logging.getLogger(__name__)


def generate(
    settings: GenerateSettings, output: Path, api_key: str = "", data: MergeSettings | None = None
) -> dict[str, int]:
    """Write accepted sentences and the ledger into a folder (see `artifacts.synthetic`).

    A run that was killed and is started again with the same settings and the same output or
    `settings.ledger` repeats no recorded request, and ends with the same sentences as a run that
    was never killed.

    Args:
        settings: What to ask, of which model, and how much may be spent.
        output: Folder for the results; the ledger grows in it while the step works.
        api_key: Key for a model that is a remote endpoint.
        data: Where merge reads real rows from, for few-shot prompts and to try out a judge; None
            for no real rows.

    Returns:
        Number of accepted sentences by label.

    Raises:
        InputError: If the task, style, model, recording or real rows cannot be read, or the judge
            cannot tell so many labels apart.
        WorkError: If the LLM's server fails, or a label's quota is not met within the budget and
            `allow_partial` is off.
    """
    task, style = load_task(settings.task), load_style(settings.style)
    require_letters(settings.judge, task)
    recording = _recording(settings, task, output)
    real = train_examples(data) if data and (settings.needs_real_rows or style.rewrites) else {}
    if style.rewrites and not all(real.get(name) for name in task.names):
        fix = "Name the data set with them, or choose another style"
        raise InputError(f"style {settings.style}", "rewrites real rows of every label", fix)
    embed = _encoder(settings, data)
    output.mkdir(parents=True, exist_ok=True)
    (output / SENTENCES).unlink(missing_ok=True)
    ledger = Ledger(output / LEDGER, settings.chosen_model, settings.ledger)
    if ledger.recovered:
        _log.info("generate: resuming from %d recorded answers", ledger.recovered)
    # What is given to be rewritten must not come back as it was.
    known = list(chain.from_iterable(real.values())) if style.rewrites else []
    curator = _curator(settings, task, None if recording else style.max_characters, known)
    harvest = Harvest(task.names, settings, curator, ledger)
    rows = drawn(task, real, settings.seed)
    if recording:
        turns = range(recording.most_turns)
        rounds: Iterable[Iterator[Request]] = [
            requests(harvest, task.labels, turns, recording.request)
        ]
    else:
        prompts = Prompts(task, style, settings.seed, real, settings.few_shot)
        rounds = _rounds(settings, task, prompts, harvest, ledger, rows, embed)
    ask = recording.ask if recording else None
    held = Interview(settings, task, rounds, ask, real, ledger, harvest, embed)
    has_aim = settings.rounds > 1 or bool(settings.focus)
    needed = max(style.context_tokens(settings.few_shot, has_aim=has_aim), context_needed(task))
    context = settings.llm_context_tokens or needed
    with servers_of(settings, output / "llm", context) as servers:
        asyncio.run(held.hold(servers, api_key))
    harvest.require_quota()
    if settings.oversample > 1:
        harvest.keep(chosen(harvest.rows, settings.quota, task, rows, embed))
    write_sentences(harvest.rows, output)
    return harvest.counts


def train_examples(data: MergeSettings) -> Mapping[str, Sequence[str]]:
    """Read the real train texts of each label.

    They are read and split by merge's own code with the same settings, so no text that merge
    keeps for validation or test is ever shown to an LLM.

    Raises:
        InputError: If the data set cannot be read or split.
    """
    # merge's libraries take seconds to import, and only few-shot prompts need them.
    from components.merge.rows import real_train

    rows, names = real_train(data), load_task(data.task).names
    return {name: list(rows["text"][rows["label"] == label]) for label, name in enumerate(names)}


def _require_elsewhere(location: str, output: Path, archive: str) -> None:
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


def _recording(settings: GenerateSettings, task: Task, output: Path) -> Recording | None:
    """The answers to replay, if they take the place of an LLM."""
    model = parse_model(settings.chosen_model)
    if model.kind != "recorded":
        return None
    _require_elsewhere(model.location, output, settings.ledger)
    return read_recording(model.location, task.names)


def _encoder(settings: GenerateSettings, data: MergeSettings | None) -> SentenceEncoder | None:
    """The encoder that compares texts by their meaning, if one is named and needed."""
    reference = data.encoder if data else ""
    settings.require_encoder(reference)
    is_needed = settings.judge == ENCODER or settings.rounds > 1 or settings.oversample > 1
    if not reference or not (is_needed or settings.focus):
        return None
    with TemporaryDirectory() as downloads:
        return load_encoder(reference, Path(downloads))


def _curator(
    settings: GenerateSettings, task: Task, limit: int | None, known: Collection[str]
) -> Curator:
    return Curator(
        task,
        limit,
        settings.near_duplicate_similarity,
        settings.language,
        settings.unsafe_filter,
        settings.form_filter,
        known,
    )


def _rounds(
    settings: GenerateSettings,
    task: Task,
    prompts: Prompts,
    harvest: Harvest,
    ledger: Ledger,
    real: Labelled,
    embed: Embed | None,
) -> Rounds:
    if settings.rounds == 1 and not settings.focus:
        return Rounds(settings, task, prompts, harvest, ledger)
    focus = read_evaluation(settings.focus) if settings.focus else None
    study = Study(task, real, prompts.style.attributes, settings.seed, embed)
    return Rounds(settings, task, prompts, harvest, ledger, study, focus)
