"""Parts of the test split, to see where a model is weaker than on average."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from components.artifacts.dataset import Dataset, Split
from components.artifacts.evaluation.scores import Interval, Slice
from components.artifacts.task import Task
from components.texts import fold, words_of

Mask = NDArray[np.bool_]


def slice_scores(
    dataset: Dataset, probabilities: NDArray[np.float32], task: Task
) -> tuple[Slice, ...]:
    """Score a model on parts of the test split; parts without rows are left out.

    The parts: short, medium and long texts; each source, if there are several; texts with and
    without a word that names a label; texts that also occur with another label.

    Args:
        dataset: The merged data set. Merge removes texts of the test split from train, so other
            labels of a text are found in validation and test.
        probabilities: The model's predictions on the test split, shape (rows, labels).
        task: The labels and the words that name them.
    """
    predicted = probabilities.argmax(axis=1)
    masks = (
        *_by_length(dataset.test.texts),
        *_by_source(dataset.test),
        *_by_wording(dataset.test.texts, task),
        *_by_conflict(dataset),
    )
    return tuple(
        _score(group, name, dataset.test.labels, predicted, mask)
        for group, name, mask in masks
        if mask.any()
    )


def _by_length(texts: Sequence[str]) -> Iterator[tuple[str, str, Mask]]:
    words = np.array([len(words_of(text)) for text in texts])
    first, second = np.quantile(words, (1 / 3, 2 / 3), method="inverted_cdf").astype(int)
    yield "Length", f"up to {first} words", words <= first
    yield "Length", f"{first + 1} to {second} words", (words > first) & (words <= second)
    yield "Length", f"more than {second} words", words > second


def _by_source(split: Split) -> Iterator[tuple[str, str, Mask]]:
    names = sorted(set(split.sources))
    if len(names) > 1:
        for name in names:
            yield "Source", name, np.array([source == name for source in split.sources])


def _by_wording(texts: Sequence[str], task: Task) -> Iterator[tuple[str, str, Mask]]:
    naming = [f" {fold(word)} " for label in task.labels for word in (label.name, *label.words)]
    explicit = np.array([any(word in f" {fold(text)} " for word in naming) for text in texts])
    yield "Wording", "names a label", explicit
    yield "Wording", "only implies it", ~explicit


def _by_conflict(dataset: Dataset) -> Iterator[tuple[str, str, Mask]]:
    known: defaultdict[str, set[int]] = defaultdict(set)
    for split in (dataset.train, dataset.validation, dataset.test):
        for text, label in zip(split.texts, split.labels.tolist(), strict=True):
            known[fold(text)].add(label)
    disputed = np.array([len(known[fold(text)]) > 1 for text in dataset.test.texts])
    yield "Conflict", "same text has another label elsewhere", disputed


def _score(
    group: str, name: str, truth: NDArray[np.int64], predicted: NDArray[np.int64], mask: Mask
) -> Slice:
    right = truth == predicted
    rows, hits = int(mask.sum()), int(right[mask].sum())
    interval = binomtest(hits, rows).proportion_ci(method="wilson")
    present = np.unique(truth[mask])
    return Slice(
        group=group,
        name=name,
        rows=rows,
        share=rows / len(truth),
        accuracy=hits / rows,
        interval=Interval(float(interval.low), float(interval.high)),
        macro_f1=float(
            f1_score(truth[mask], predicted[mask], labels=present, average="macro", zero_division=0)
        ),
        drop=100 * float(right.mean() - hits / rows),
    )
