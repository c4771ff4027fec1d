"""The evaluate step: score a model on unseen rows, judge it, write a report."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components import bundle, storage
from components.checks import InputError
from components.evaluate.compare import MAJORITY, score_baselines
from components.evaluate.evaluation import Evaluation
from components.evaluate.gate import judge
from components.evaluate.inputs import Dataset, read_dataset, read_history
from components.evaluate.metrics import score
from components.evaluate.mistakes import most_confident_mistakes
from components.evaluate.report import render
from components.evaluate.settings import EvaluateSettings
from components.serve.classifier import Classifier
from components.task import load_task

_CHUNK = 512

logger = logging.getLogger(__name__)


def evaluate(settings: EvaluateSettings, model: Path, dataset: Path, report: Path) -> Evaluation:
    """Score a model on the test split, judge it and write a report.

    Args:
        settings: The task and the thresholds of the gate.
        model: A model folder as train writes it.
        dataset: A data set folder as merge writes it.
        report: The HTML page to write.

    Raises:
        InputError: If the model does not verify, the data set is malformed, or they do not
            belong to the task.
    """
    task = load_task(settings.task)
    data = read_dataset(dataset)
    classifier = Classifier(model)
    _require_labels(f"data set {dataset}", data.labels, task.names)
    _require_labels(f"model {model}", classifier.labels, task.names)
    history = read_history(model / bundle.HISTORY)

    test = _predict(classifier, data.test.texts, "test")
    validation = _predict(classifier, data.validation.texts, "validation")
    evaluation = _assess(settings, data, classifier, test, validation)
    mistakes = most_confident_mistakes(data.test.texts, data.test.labels, test, task.names)
    with storage.staged(report) as draft:
        draft.write_text(render(evaluation, history, mistakes), encoding="utf-8")
    logger.info("evaluate: %s", evaluation.verdict.summary)
    return evaluation


def _assess(
    settings: EvaluateSettings,
    data: Dataset,
    classifier: Classifier,
    test: NDArray[np.float32],
    validation: NDArray[np.float32],
) -> Evaluation:
    test_scores = score(data.test.labels, test.argmax(axis=1), data.labels)
    baselines = score_baselines(data, settings.seed)
    return Evaluation(
        task=classifier.task,
        labels=data.labels,
        test=test_scores,
        validation=score(data.validation.labels, validation.argmax(axis=1), data.labels),
        baselines=baselines,
        verdict=judge(test_scores, baselines[MAJORITY], settings),
        rows=data.rows,
        model_version=classifier.version,
    )


def _require_labels(thing: str, labels: Sequence[str], expected: Sequence[str]) -> None:
    if tuple(labels) != tuple(expected):
        given = ", ".join(map(str, labels))
        rule = f"has the labels {given}, but the task has {', '.join(expected)}"
        raise InputError(thing, rule, "Set task to the one that model and data set were made for")


def _predict(classifier: Classifier, texts: Sequence[str], split: str) -> NDArray[np.float32]:
    chunks = []
    for start in range(0, len(texts), _CHUNK):
        chunks.append(classifier.probabilities(texts[start : start + _CHUNK]))
        done = min(start + _CHUNK, len(texts))
        logger.info("evaluate: %s %d/%d rows", split, done, len(texts))
    return np.concatenate(chunks)
