"""A second opinion on a text by its words: a linear classifier of what was labelled before.

It learns from real train rows, and from the shipped corpus if that has the task's labels. It needs
no LLM and no encoder, and costs a second. It is weaker than a good LLM, but unlike the LLM that
writes it does not share that LLM's mistakes.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from components.artifacts.synthetic import OpinionLine
from components.artifacts.task import Task
from components.errors import InputError
from components.generate.examples import corpus, corpus_has
from components.generate.settings import WORDS

_MOST_ROWS_PER_LABEL = 500  # more cost more time than they add to a linear classifier
_FOLDS = 3


@dataclass(frozen=True)
class Labelled:
    """Texts, and the id of the label of each."""

    texts: Sequence[str]
    labels: Sequence[int]


class WordJudge:
    """Tells by the words of a text how probable each label is; it learns when it is made.

    Args:
        task: Its labels are told apart.
        real: Real train texts of each label.
        seed: Draws the rows that it learns from, if there are very many.

    Raises:
        InputError: If fewer than two labels have texts.
    """

    def __init__(self, task: Task, real: Mapping[str, Sequence[str]], seed: int) -> None:
        self._names = task.names
        self._real = _drawn(task, real, seed)
        self._shipped = _shipped(task)
        self._classifier = self._learnt(range(len(self._real.texts)))

    async def opinion(self, text: str) -> OpinionLine:
        """The probability of each label that has texts; nothing is said of the others."""
        (chances,) = self._classifier.predict_proba([text])
        names = (self._names[label] for label in self._classifier.classes_)
        told = zip(names, chances, strict=True)
        return OpinionLine(text, WORDS, {name: round(float(chance), 4) for name, chance in told})

    def tried_out(self) -> tuple[int, int]:
        """Judge real rows by what was learnt without them: their number, and those judged right.

        Labels with very few rows are left out; without two others nothing is tried.
        """
        texts, labels = np.array(self._real.texts), np.array(self._real.labels, dtype=np.int64)
        enough = np.flatnonzero(np.bincount(labels, minlength=1) >= _FOLDS)
        rows = np.flatnonzero(np.isin(labels, enough))
        if len(enough) < 2:
            return 0, 0
        folds = StratifiedKFold(_FOLDS).split(texts[rows], labels[rows])
        right = sum(
            int((self._learnt(rows[known]).predict(texts[rows[new]]) == labels[rows[new]]).sum())
            for known, new in folds
        )
        return len(rows), right

    def _learnt(self, rows: Iterable[int]) -> Pipeline:
        real = [(self._real.texts[row], self._real.labels[row]) for row in rows]
        texts = [*(text for text, _ in real), *self._shipped.texts]
        labels = [*(label for _, label in real), *self._shipped.labels]
        if len(set(labels)) < 2:
            fix = "Name the data set with real rows, or another judge"
            raise InputError(f"judge={WORDS!r}", "has no labelled texts to learn from", fix)
        logistic = LogisticRegression(C=10, class_weight="balanced", solver="liblinear", tol=0.01)
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        return make_pipeline(words, OneVsRestClassifier(logistic)).fit(texts, labels)


def _drawn(task: Task, real: Mapping[str, Sequence[str]], seed: int) -> Labelled:
    rows = [
        (text, task.names.index(name))
        for name, texts in real.items()
        for text in random.Random(f"{seed} {name}").sample(  # noqa: S311
            list(texts), min(_MOST_ROWS_PER_LABEL, len(texts))
        )
    ]
    return Labelled([text for text, _ in rows], [label for _, label in rows])


def _shipped(task: Task) -> Labelled:
    """The corpus, if it is of the task."""
    rows = corpus() if corpus_has(task) else ()
    return Labelled([text for text, _ in rows], [task.names.index(name) for _, name in rows])
