"""What a classifier has not learnt yet: which labels it confuses, and where it is unsure.

A quick classifier learns from the real train rows and the sentences accepted so far. Its mistakes
on real rows that it has not learnt from say what the next round should ask for.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split

from components.artifacts.task import Task
from components.errors import InputError
from components.quick_classifier import NOTHING, Embed, Labelled, QuickClassifier, cross_validated

_HELD_OUT_SHARE = 0.2
_LEAST_ROWS_PER_LABEL = 5
_PAIRS_PER_LABEL = 3
_TEXTS_PER_PAIR = 12
_ROWS_PER_REGION = 15
_MOST_REGIONS = 30


@dataclass(frozen=True)
class Contrast:
    """A label that another one is taken for.

    Args:
        other: Name of the label that is seen instead.
        mistakes: Number of rows, or their weight.
        texts: Real train texts that show it, the most telling ones first.
    """

    other: str
    mistakes: int
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Aim:
    """What the requests of a round aim at.

    Args:
        contrasts: Labels that each label is taken for, by its name, most frequent first.
        attributes: Values to choose from in place of a style's own, by the attribute's name.
    """

    contrasts: Mapping[str, Sequence[Contrast]] = field(default_factory=dict)
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Lesson:
    """What a classifier knows after a round: scores on the real rows held out, and what it lacks.

    Args:
        rows: Number of rows held out.
        accuracy: Share of them that it labels right.
        macro_f1: Mean F1 of their labels.
        aim: What would teach it more.
    """

    rows: int
    accuracy: float
    macro_f1: float
    aim: Aim


class Study:
    """Studies a quick classifier between rounds.

    Args:
        task: Its labels.
        real: Real train rows; a fifth of them is held out to score on.
        attributes: The style's attributes and their values.
        seed: Draws the rows held out.
        embed: The encoder; None for a classifier of words alone.
        rewrites: Whether the sentences are real ones in other words, which give away the labels of
            those that they come from: mistakes are then made without them.

    Raises:
        InputError: If a label has too few real rows.
    """

    def __init__(
        self,
        task: Task,
        real: Labelled,
        attributes: Mapping[str, Sequence[str]],
        seed: int,
        embed: Embed | None = None,
        *,
        rewrites: bool = False,
    ) -> None:
        counts = np.bincount(np.asarray(real.labels, dtype=np.int64), minlength=len(task.names))
        if counts.min() < _LEAST_ROWS_PER_LABEL:
            few = task.names[int(counts.argmin())]
            rule = f"need {_LEAST_ROWS_PER_LABEL} real train rows of each label, {few} has fewer"
            raise InputError("rounds and focus", rule, "Add rows, or leave both out")
        known, held_out = train_test_split(
            np.arange(len(real.labels)),
            test_size=_HELD_OUT_SHARE,
            stratify=real.labels,
            random_state=seed,
        )
        self._task, self._attributes, self._seed, self._embed = task, attributes, seed, embed
        self._rewrites = rewrites
        self._known, self._held_out = _rows(real, known), _rows(real, held_out)
        self._base = QuickClassifier(embed).fit(self._known.texts, self._known.labels)

    @property
    def known(self) -> dict[str, list[str]]:
        """The real texts that were not held out, by label name: others must not be shown."""
        found: dict[str, list[str]] = {name: [] for name in self._task.names}
        for text, label in zip(self._known.texts, self._known.labels, strict=True):
            found[self._task.names[label]].append(text)
        return found

    def lesson(
        self, accepted: Sequence[Mapping[str, Any]], confusion: NDArray[np.int64] | None = None
    ) -> Lesson:
        """Study what is known with the sentences accepted so far.

        Args:
            accepted: `text`, `label` and attributes of each.
            confusion: Counts by [true label id][predicted label id] that say what is confused;
                None takes the classifier's own mistakes.
        """
        names = self._task.names
        further = Labelled.of((row["text"], names.index(row["label"])) for row in accepted)
        classifier = QuickClassifier(self._embed).fit(
            [*self._known.texts, *further.texts], [*self._known.labels, *further.labels]
        )
        truth = np.asarray(self._held_out.labels)
        seen = classifier.labels[classifier.probabilities(self._held_out.texts).argmax(axis=1)]
        learnt = NOTHING if self._rewrites else further
        said = cross_validated(self._known, len(names), self._embed, learnt)
        mistakes = _confusion(self._known.labels, said) if confusion is None else confusion
        return Lesson(
            rows=len(truth),
            accuracy=float((seen == truth).mean()),
            macro_f1=float(f1_score(truth, seen, average="macro")),
            aim=Aim(self._contrasts(mistakes, said), self._doubtful_values(accepted, further)),
        )

    def _contrasts(
        self, confusion: NDArray[np.int64], said: NDArray[np.float64]
    ) -> dict[str, list[Contrast]]:
        """The most frequent mistakes of each label, with the texts that come closest to them."""
        labels = np.asarray(self._known.labels)
        unsure = self._unsureness(said)
        contrasts: dict[str, list[Contrast]] = {}
        for label, name in enumerate(self._task.names):
            rows = np.flatnonzero(labels == label)
            others = [int(each) for each in np.argsort(-confusion[label], kind="stable")]
            contrasts[name] = [
                Contrast(
                    self._task.names[other],
                    int(confusion[label, other]),
                    self._telling(rows, said[rows, other] * unsure[rows]),
                )
                for other in others
                if other != label and confusion[label, other]
            ][:_PAIRS_PER_LABEL]
        return contrasts

    def _telling(self, rows: NDArray[np.int64], worth: NDArray[np.float64]) -> tuple[str, ...]:
        """The texts of those rows that are worth most."""
        best = rows[np.argsort(-worth, kind="stable")][:_TEXTS_PER_PAIR]
        return tuple(self._known.texts[row] for row in best)

    def _unsureness(self, said: NDArray[np.float64]) -> NDArray[np.float64]:
        """How unsure the classifier is of each row's region: texts that mean about the same."""
        doubt = 1 - said[np.arange(len(said)), self._known.labels]
        if self._embed is None:
            return doubt
        regions = int(np.clip(len(doubt) // _ROWS_PER_REGION, 1, _MOST_REGIONS))
        clusters = KMeans(regions, random_state=self._seed, n_init=1)
        region = clusters.fit_predict(self._embed(self._known.texts))
        totals = np.bincount(region, doubt, minlength=regions)
        return np.asarray((totals / np.bincount(region, minlength=regions))[region])

    def _doubtful_values(
        self, accepted: Sequence[Mapping[str, Any]], rows: Labelled
    ) -> dict[str, tuple[str, ...]]:
        """The half of each attribute's values whose sentences the real rows explain least."""
        doubts = 1 - self._base.of_labels(rows.texts, rows.labels)
        values = {}
        for name, all_values in self._attributes.items():
            found: defaultdict[str, list[float]] = defaultdict(list)
            for row, doubt in zip(accepted, doubts.tolist(), strict=True):
                found[row.get(name, "")].append(doubt)
            # A value that nothing was accepted for is where least is known.
            by_doubt = sorted(all_values, key=lambda each: -float(np.mean(found.get(each, [1.0]))))
            values[name] = tuple(by_doubt[: max(1, (len(by_doubt) + 1) // 2)])
        return values if accepted else {}


def _rows(all_rows: Labelled, places: Iterable[int]) -> Labelled:
    return Labelled.of((all_rows.texts[place], all_rows.labels[place]) for place in places)


def _confusion(labels: Sequence[int], said: NDArray[np.float64]) -> NDArray[np.int64]:
    counts = np.zeros((said.shape[1], said.shape[1]), dtype=np.int64)
    np.add.at(counts, (np.asarray(labels), said.argmax(axis=1)), 1)
    return counts
