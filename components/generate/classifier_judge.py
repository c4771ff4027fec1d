"""A second opinion on a text by a quick classifier of what was labelled before.

It learns from real train rows, from what was accepted so far, and, if the shipped corpus has the
task's labels, from that and from texts that show none of them. It needs no LLM and costs seconds.
It is weaker than a good LLM, but unlike the LLM that writes it does not share that LLM's mistakes.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from components.artifacts.ledger_lines import OpinionLine
from components.artifacts.task import Task
from components.errors import InputError
from components.generate.examples import NO_FEELING, corpus, corpus_has, forms
from components.quick_classifier import (
    NOTHING,
    Embed,
    Labelled,
    QuickClassifier,
    cross_validated,
    judged_right,
)

_MOST_ROWS_PER_LABEL = 500  # more cost more time than they add to a quick classifier


class ClassifierJudge:
    """Tells how probable each label of a text is; it learns when it is made.

    Args:
        task: Its labels are told apart.
        name: Of the judge, for its opinions.
        real: Real train texts of each label.
        seed: Draws the rows that it learns from, if there are very many.
        embed: The encoder; None for a judge of words alone.
        knows_corpus: Whether it learns from the shipped corpus too, if that has the task's labels;
            of what is replayed from it, it would have no second opinion.
        is_english: Whether the shipped texts, which are, may be learnt from at all.

    Raises:
        InputError: If fewer than two labels have texts.
    """

    def __init__(
        self,
        task: Task,
        name: str,
        real: Mapping[str, Sequence[str]],
        seed: int,
        embed: Embed | None = None,
        *,
        knows_corpus: bool = True,
        is_english: bool = True,
    ) -> None:
        self._names, self._name, self._embed = task.names, name, embed
        self._real = drawn(task, real, seed)
        self._shipped = _shipped(task) if knows_corpus and is_english else NOTHING
        self._unlabelled = _unlabelled() if corpus_has(task) and is_english else ()
        if len({*self._real.labels, *self._shipped.labels}) < 2:
            fix = "Name the data set with real rows, or another judge"
            raise InputError(f"judge={name!r}", "has no labelled texts to learn from", fix)
        self._classifier = QuickClassifier(embed)
        self.learn(())

    def learn(self, accepted: Iterable[Mapping[str, Any]]) -> None:
        """Learn again, now also from sentences that were accepted (`text`, `label`)."""
        found = Labelled.of((row["text"], self._names.index(row["label"])) for row in accepted)
        none = len(self._names)
        self._classifier.fit(
            [*self._real.texts, *found.texts, *self._unlabelled],
            [*self._real.labels, *found.labels, *[none] * len(self._unlabelled)],
            self._shipped,
        )

    async def opinion(self, text: str) -> OpinionLine:
        """The probability of each label that has texts; nothing is said of the others.

        What they lack to 1 is the probability that the text shows no label.
        """
        (chances,) = self._classifier.probabilities([text])
        told = {
            self._names[label]: round(float(chance), 4)
            for label, chance in zip(self._classifier.labels, chances, strict=True)
            if label < len(self._names)
        }
        return OpinionLine(text, self._name, told)

    def tried_out(self) -> tuple[int, int]:
        """Judge real rows by what was learnt without them: their number, and those judged right.

        Labels with very few rows are left out; without two others nothing is tried.
        """
        said = cross_validated(self._real, len(self._names), self._embed, self._shipped)
        return judged_right(self._real.labels, said)


def drawn(task: Task, real: Mapping[str, Sequence[str]], seed: int) -> Labelled:
    """Real texts with the ids of their labels, at most 500 of each label."""
    return Labelled.of(
        (text, task.names.index(name))
        for name, texts in real.items()
        for text in random.Random(f"{seed} {name}").sample(  # noqa: S311
            list(texts), min(_MOST_ROWS_PER_LABEL, len(texts))
        )
    )


def _unlabelled() -> tuple[str, ...]:
    return tuple(text for text, kind in forms("bad") if kind == NO_FEELING)


def _shipped(task: Task) -> Labelled:
    """The corpus, if it is of the task."""
    if not corpus_has(task):
        return NOTHING
    return Labelled.of((text, task.names.index(name)) for text, name in corpus())
