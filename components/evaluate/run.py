"""The evaluate step: score the model as it is served, compare it, judge it, report the result."""

import logging
from pathlib import Path

from components import storage
from components.artifacts.evaluation import Evaluation
from components.evaluate.assess import assess
from components.evaluate.inputs import read_inputs
from components.evaluate.report.card import model_card
from components.evaluate.report.page import render
from components.evaluate.settings import EvaluateSettings

_log = logging.getLogger(__name__)


def evaluate(
    settings: EvaluateSettings,
    model: Path,
    dataset: Path,
    evaluation: Path,
    report: Path,
    card: Path,
    real_only: Path | None = None,
) -> Evaluation:
    """Score a model on the test split, judge it, and write down the result.

    Args:
        settings: The user's choices.
        model: Model folder as train writes it.
        dataset: Data set folder as merge writes it.
        evaluation: JSON file to write.
        report: HTML page to write.
        card: Model card to write.
        real_only: Folder of a model trained without synthetic rows, to measure their effect;
            None or an empty folder if there is none.

    Raises:
        InputError: If a model does not verify, the data set, the gate or the out-of-domain text
            is malformed, or they do not belong to the task.
        WorkError: If the registry or a store does not answer.
    """
    inputs = read_inputs(settings, model, dataset, real_only)
    result = assess(settings, inputs)
    texts = {
        evaluation: result.to_json(),
        report: render(result, inputs.history),
        card: model_card(result, inputs.facts, inputs.dataset.description),
    }
    for path, text in texts.items():
        with storage.staged(path) as draft:
            draft.write_text(text, encoding="utf-8")
    for comparison in result.comparisons:
        _log.info("evaluate: %s", comparison.sentence)
    _log.info("evaluate: gate %s", result.verdict.summary)
    return result
