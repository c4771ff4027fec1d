"""The generate step: asks an LLM for sentences until every label has its quota."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from components.artifacts.evaluation import Evaluation
from components.artifacts.model.encoder import SentenceEncoder, load_encoder
from components.artifacts.synthetic import LEDGER, SENTENCES, write_sentences
from components.artifacts.task import Task, load_task
from components.generate.classifier_judge import ClassifierJudge, drawn
from components.generate.curate import MAX_CHARACTERS, Curator
from components.generate.engines import parse_model
from components.generate.examples import CORPUS_LANGUAGE
from components.generate.focus import read_focus
from components.generate.harvest import Harvest
from components.generate.interview import Interview, servers_of
from components.generate.judge import context_needed
from components.generate.ledger import Ledger
from components.generate.letters import require_letters
from components.generate.prompts import Prompts
from components.generate.recording import Recording, read_recording, require_elsewhere
from components.generate.request import Request
from components.generate.rounds import Rounds, requests
from components.generate.selection import chosen
from components.generate.settings import CLASSIFIERS, GenerateSettings
from components.generate.study import Study
from components.generate.style import Style, load_style
from components.merge.settings import MergeSettings
from components.quick_classifier import Embed

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
    work = _material(settings, output, data)
    output.mkdir(parents=True, exist_ok=True)
    (output / SENTENCES).unlink(missing_ok=True)
    ledger = Ledger(output / LEDGER, settings.chosen_model, settings.ledger)
    if ledger.recovered:
        _log.info("generate: resuming from %d recorded answers", ledger.recovered)
    harvest = Harvest(work.task.names, _bounds(settings, work), _curator(settings, work), ledger)
    held = Interview(
        settings,
        work.task,
        _rounds(settings, work, harvest, ledger),
        work.recording.ask if work.recording else None,
        work.real,
        ledger,
        harvest,
        work.learner,
    )
    with servers_of(settings, output / "llm", _context(settings, work)) as servers:
        asyncio.run(held.hold(servers, api_key))
    harvest.require_quota()
    if settings.oversample > 1:
        known, offered = drawn(work.task, work.real, settings.seed), len(harvest.rows)
        harvest.keep(set(chosen(harvest.rows, settings.quota, work.task, known, work.embed)))
        _log.info("generate: %d sentences chosen from %d", len(harvest.rows), offered)
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


@dataclass(frozen=True)
class _Material:
    """What a run works with, read and checked before anything is written or asked.

    Args:
        task: The labels.
        style: The style of the prompts.
        prompts: Build the requests.
        recording: The answers to replay; None if an LLM is asked.
        real: Real train texts of each label that may be shown and learnt from; may be empty.
        embed: The encoder; None compares words alone.
        study: Says what to ask for; None for a single round without an aim.
        focus: Evaluation of an earlier run that is aimed at; or None.
        learner: The judge, if it is a classifier.
    """

    task: Task
    style: Style
    prompts: Prompts
    recording: Recording | None
    real: Mapping[str, Sequence[str]]
    embed: Embed | None
    study: Study | None
    focus: Evaluation | None
    learner: ClassifierJudge | None


def _material(settings: GenerateSettings, output: Path, data: MergeSettings | None) -> _Material:
    task, style = load_task(settings.task), load_style(settings.style)
    require_letters(settings.judge, task)
    style.require_judge(settings.judge)
    recording = _recording(settings, task, output)
    real = train_examples(data) if data and (settings.needs_real_rows or style.rewrites) else {}
    embed = _encoder(settings, data)
    prompts = Prompts(task, style, settings.seed, real, settings.few_shot)
    focus = read_focus(settings.focus, task) if settings.focus and not recording else None
    study = None
    if not recording and (settings.rounds > 1 or focus):
        known, rewrites = drawn(task, real, settings.seed), style.rewrites
        study = Study(task, known, prompts.attributes, settings.seed, embed, rewrites=rewrites)
        # What is held out is neither shown to an LLM nor learnt by a judge.
        real = study.known
        prompts = replace(prompts, examples=real)
    learner = _learner(settings, task, real, embed)
    return _Material(task, style, prompts, recording, real, embed, study, focus, learner)


def _recording(settings: GenerateSettings, task: Task, output: Path) -> Recording | None:
    model = parse_model(settings.chosen_model)
    if model.kind != "recorded":
        return None
    require_elsewhere(model.location, output, settings.ledger)
    return read_recording(model.location, task.names)


def _rounds(
    settings: GenerateSettings, work: _Material, harvest: Harvest, ledger: Ledger
) -> Iterable[Iterator[Request]]:
    if work.recording:
        turns = range(settings.shard, work.recording.most_turns, settings.shards)
        return [requests(harvest, work.task.labels, turns, work.recording.request)]
    return Rounds(settings, work.task, work.prompts, harvest, ledger, work.study, work.focus)


def _learner(
    settings: GenerateSettings,
    task: Task,
    real: Mapping[str, Sequence[str]],
    embed: Embed | None,
) -> ClassifierJudge | None:
    """The judge, if it is a classifier, which goes on learning from what is accepted."""
    if settings.judge not in CLASSIFIERS:
        return None
    return ClassifierJudge(
        task,
        settings.judge,
        real,
        settings.seed,
        embed,
        # Of what is replayed from the corpus it would have no second opinion.
        knows_corpus=parse_model(settings.chosen_model).kind != "recorded",
        is_english=settings.language in ("", CORPUS_LANGUAGE),
    )


def _bounds(settings: GenerateSettings, work: _Material) -> GenerateSettings:
    """The settings, without a bound of minutes where nobody is asked.

    There the speed of the machine would decide which texts of a recording are taken.
    """
    asks_nobody = work.recording and settings.chosen_judge in {"", *CLASSIFIERS}
    return replace(settings, minutes_budget=0.0) if asks_nobody else settings


def _encoder(settings: GenerateSettings, data: MergeSettings | None) -> SentenceEncoder | None:
    """The encoder that compares texts by their meaning, if one is named."""
    reference = data.encoder if data else ""
    settings.require_encoder(reference)
    if not reference:
        return None
    with TemporaryDirectory() as downloads:
        return load_encoder(reference, Path(downloads))


def _curator(settings: GenerateSettings, work: _Material) -> Curator:
    is_shown = work.style.rewrites or settings.few_shot or work.study
    return Curator(
        work.task,
        None if work.recording else work.style.max_characters,
        settings.near_duplicate_similarity,
        settings.language,
        settings.unsafe_filter,
        settings.form_filter,
        # What is shown must not come back as it was.
        list(chain.from_iterable(work.real.values())) if is_shown else (),
        work.embed,
        # A server holds to the style by itself; a recording may have been made after another.
        min(work.style.max_characters, MAX_CHARACTERS) if work.recording else MAX_CHARACTERS,
    )


def _context(settings: GenerateSettings, work: _Material) -> int:
    """Most tokens of a request and its answer."""
    needed = work.style.context_tokens(settings.few_shot, has_aim=work.study is not None)
    return settings.llm_context_tokens or max(needed, context_needed(work.task))
