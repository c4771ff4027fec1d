"""The generate step: ask an LLM for sentences until every label has its quota."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

from components.artifacts.synthetic import LEDGER, SENTENCES, write_sentences
from components.artifacts.task import load_task
from components.generate.curate import CurationSettings, Curator
from components.generate.engines import parse_model, serving
from components.generate.harvest import Harvest
from components.generate.ledger import Ledger
from components.generate.llm import ChatClient, Request, in_order
from components.generate.prompts import Prompts
from components.generate.settings import GenerateSettings
from components.generate.style import load_style

_log = logging.getLogger(__name__)


def generate(
    settings: GenerateSettings,
    output: Path,
    api_key: str = "",
    examples: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, int]:
    """Write `synthetic_emotions.json` and `ledger.jsonl` into a folder.

    A run that was killed and is started again with the same settings and the same output or
    `settings.ledger` asks for no recorded answer again, and ends with the same sentences as a
    run that was never killed.

    Args:
        settings: What to ask, of which model, and how much may be spent.
        output: Folder for the results; the ledger grows in it while the step works.
        api_key: Key for a model that is a remote endpoint.
        examples: Real train texts of each label, for few-shot prompts.

    Returns:
        Number of accepted sentences by label.

    Raises:
        InputError: If the model cannot be served, or a label's quota is not met within the
            budget and `allow_partial` is off.
    """
    task = load_task(settings.task)
    style = load_style(settings.style)
    prompts = Prompts(task, style, settings.seed, examples or {}, settings.few_shot)
    output.mkdir(parents=True, exist_ok=True)
    (output / SENTENCES).unlink(missing_ok=True)
    ledger = Ledger(output / LEDGER, settings.chosen_model, settings.ledger)
    if ledger.recovered:
        _log.info("generate: going on from %d recorded answers", ledger.recovered)
    harvest = Harvest(
        task.names, settings, Curator(task, style.max_characters, _curation(settings)), ledger
    )
    model = parse_model(settings.chosen_model)
    with serving(model, settings.llm_concurrency, output / "llm") as endpoint:
        client = ChatClient(endpoint, api_key, settings.llm_concurrency)
        asyncio.run(_fill(harvest, ledger, client, prompts, settings))
    harvest.require_quota()
    write_sentences(harvest.rows, output)
    return harvest.counts


async def _fill(
    harvest: Harvest,
    ledger: Ledger,
    client: ChatClient,
    prompts: Prompts,
    settings: GenerateSettings,
) -> None:
    requests = _requests(harvest, prompts, settings.request_budget)
    async with client:
        # Twice the server's slots, so that one slow answer does not leave the others idle.
        ask, open_at_once = ledger.recording(client.ask), 2 * settings.llm_concurrency
        async with aclosing(in_order(requests, ask, open_at_once)) as answers:
            async for answer in answers:
                harvest.take(answer)
                if harvest.end:
                    break


def _requests(harvest: Harvest, prompts: Prompts, budget: int) -> Iterator[Request]:
    for turn in range(budget):
        for label in prompts.task.labels:
            if label.name in harvest.wanting:
                yield prompts.request(label, turn)


def _curation(settings: GenerateSettings) -> CurationSettings:
    return CurationSettings(
        near_duplicate_similarity=settings.near_duplicate_similarity,
        language=settings.language,
        unsafe_filter=settings.unsafe_filter,
    )
