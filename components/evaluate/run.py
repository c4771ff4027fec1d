"""The evaluate step: score the model as it is served, compare it, judge it, write it all down."""

import logging
from pathlib import Path

from components import storage
from components.artifacts.evaluation import Evaluation
from components.evaluate.assess import assess
from components.evaluate.given import read_given
from components.evaluate.report.card import model_card
from components.evaluate.report.page import render
from components.evaluate.settings import EvaluateSettings

logger = logging.getLogger(__name__)


def evaluate(
    settings: EvaluateSettings,
    model: Path,
    dataset: Path,
    report: Path,
    card: Path,
    real_only: Path | None = None,
) -> Evaluation:
    """Score a model on the test split, judge it, and write a report and a model card.

    Args:
        settings: What the user chose.
        model: A model folder as train writes it.
        dataset: A data set folder as merge writes it.
        report: The HTML page to write.
        card: The model card to write.
        real_only: Folder of a model trained without synthetic rows, to learn what they are
            worth; None or an empty folder if there is none.

    Raises:
        InputError: If a model does not verify, the data set, the gate or the out-of-domain text
            is malformed, or they do not belong to the task.
    """
    given = read_given(settings, model, dataset, real_only)
    evaluation = assess(settings, given)
    with storage.staged(report) as page, storage.staged(card) as text:
        page.write_text(render(evaluation, given.history), encoding="utf-8")
        text.write_text(model_card(evaluation, given.facts), encoding="utf-8")
    for comparison in evaluation.comparisons:
        logger.info("evaluate: %s", comparison.sentence)
    logger.info("evaluate: gate %s", evaluation.verdict.summary)
    return evaluation
