"""The generate step: asks an LLM for sentences until every label has its quota."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from components import storage
from components.artifacts.synthetic import LEDGER, RECORDED, SENTENCES, write_sentences
from components.artifacts.task import Label, load_task
from components.errors import InputError
from components.generate.curate import Curator
from components.generate.engines import parse_model
from components.generate.harvest import Harvest
from components.generate.interview import Interview, servers_of
from components.generate.judge import context_needed
from components.generate.ledger import Ledger
from components.generate.prompts import Prompts
from components.generate.recording import read_recording
from components.generate.request import Request
from components.generate.settings import GenerateSettings
from components.generate.style import load_style
from components.merge.settings import MergeSettings

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
        InputError: If the task, style, model, recording or real rows cannot be read.
        WorkError: If the LLM's server fails, or a label's quota is not met within the budget and
            `allow_partial` is off.
    """
    task, style = load_task(settings.task), load_style(settings.style)
    model = parse_model(settings.chosen_model)
    recording = None
    if model.kind == "recorded":
        _require_elsewhere(model.location, output)
        recording = read_recording(model.location, task.names)
    real = train_examples(data) if data and (settings.few_shot or settings.judge) else {}
    output.mkdir(parents=True, exist_ok=True)
    (output / SENTENCES).unlink(missing_ok=True)
    ledger = Ledger(output / LEDGER, settings.chosen_model, settings.ledger)
    if ledger.recovered:
        _log.info("generate: resuming from %d recorded answers", ledger.recovered)
    limit = None if recording else style.max_characters
    curator = Curator(
        task,
        limit,
        settings.near_duplicate_similarity,
        settings.language,
        settings.unsafe_filter,
        settings.form_filter,
    )
    harvest = Harvest(task.names, settings, curator, ledger)
    if recording:
        requests = _requests(harvest, task.labels, recording.most_turns, recording.request)
    else:
        prompts = Prompts(task, style, settings.seed, real, settings.few_shot)
        requests = _requests(harvest, task.labels, settings.request_budget, prompts.request)
    ask = recording.ask if recording else None
    held = Interview(settings, task, requests, ask, real, ledger, harvest)
    needed = max(style.context_tokens(settings.few_shot), context_needed(task))
    context = settings.llm_context_tokens or needed
    with servers_of(settings, output / "llm", context) as servers:
        asyncio.run(held.hold(servers, api_key))
    harvest.require_quota()
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


def _require_elsewhere(location: str, output: Path) -> None:
    place = storage.local_path(location.partition(storage.PIN)[0])
    if place and place.resolve() in (output.resolve(), (output / LEDGER).resolve()):
        fix = "Choose another output, or copy the ledger"
        raise InputError(RECORDED + location, "is the ledger that this run would write", fix)


def _requests(
    harvest: Harvest,
    labels: Sequence[Label],
    budget: int,
    request: Callable[[Label, int], Request | None],
) -> Iterator[Request]:
    for turn in range(budget):
        for label in labels:
            if label.name in harvest.wanting and (wanted := request(label, turn)):
                yield wanted
