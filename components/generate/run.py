"""The generate step: ask LLMs for sentences until every label has its quota."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

from components import storage
from components.generate.curate import Curator
from components.generate.engines import parse_model, serving
from components.generate.harvest import Harvest
from components.generate.ledger import Ledger
from components.generate.llm import ChatClient, Request
from components.generate.prompts import Prompts, read_source
from components.generate.settings import GenerateSettings
from components.task import load_task

SYNTHETIC = "synthetic_emotions.json"
LEDGER = "ledger.jsonl"


def generate(settings: GenerateSettings, output: Path, api_key: str = "") -> dict[str, int]:
    """Write `synthetic_emotions.json` and `ledger.jsonl` into a folder.

    Args:
        settings: What to ask, of which models, and how much may be spent.
        output: Folder for the results; the ledger grows in it while the step works.
        api_key: Key for models that are remote endpoints.

    Returns:
        Number of accepted sentences by label.

    Raises:
        InputError: If a model cannot be served, or a label's quota is not met within the
            budget and `allow_partial` is off.
    """
    task = load_task(settings.task)
    models = [parse_model(reference) for reference in settings.models]
    output.mkdir(parents=True, exist_ok=True)
    for name in (SYNTHETIC, LEDGER):
        (output / name).unlink(missing_ok=True)
    prompts = Prompts(task, read_source(), settings.seed)
    curator = Curator(task, prompts.source.max_characters)
    harvest = Harvest(task, curator, Ledger(output / LEDGER))
    for number, (reference, model) in enumerate(zip(settings.models, models, strict=True), 1):
        harvest.start_model(reference, settings.samples_per_label * number // len(models))
        folder = output / f"llm-{number}"
        with serving(model, settings.llm_concurrency, folder) as endpoint:
            client = ChatClient(endpoint, api_key, settings.llm_concurrency)
            asyncio.run(_fill(harvest, client, prompts, settings))
        harvest.require_quota(settings.request_budget, settings.allow_partial)
    with storage.staged(output / SYNTHETIC) as draft:
        draft.write_text(json.dumps(harvest.rows, indent=1) + "\n", encoding="utf-8")
    return harvest.counts


async def _fill(
    harvest: Harvest, client: ChatClient, prompts: Prompts, settings: GenerateSettings
) -> None:
    async with client:
        async for answer in client.answers(_requests(harvest, prompts, settings)):
            harvest.take(answer)
            if not harvest.wanting:
                break


def _requests(harvest: Harvest, prompts: Prompts, settings: GenerateSettings) -> Iterator[Request]:
    for turn in range(settings.request_budget):
        for label in prompts.task.labels:
            if label.name in harvest.wanting:
                yield prompts.request(label, turn)
