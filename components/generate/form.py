"""Tells texts from the debris of LLM answers, by two small classifiers.

One knows how texts end: it learns from the sentences of the shipped corpus, whole and cut in the
middle. The other knows what is no text at all: remarks on the task, headings, scraps, instructions
to the reader; it learns from labelled examples that were written for this project (`forms/`), which
`make bench-curation` does not use. Both learn in seconds, each time they are made, so that no
weights are shipped that nobody can read.
"""

import random
import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from sklearn import config_context
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from components.generate.examples import NO_FEELING, corpus, forms
from components.quick_classifier import UNCHECKED, Embed, Labelled, QuickClassifier

_CUT_OFF = "cut off"
_WORDS = re.compile(r"[\w']+|[^\w\s]")
_WORDS_AND_MARKS = re.compile(r"\b\w+\b|[^\w\s]")
_FINAL_MARKS = ".!?\u2026"
_LEAST_WORDS_CUT = 6
_LEAST_WORDS_JUDGED = 5
_SHARE_CUT_IN_A_WORD = 0.15
_REPEATED = 5
_SURE_OF_THE_END = 0.7
_SURE_OF_DEBRIS = 0.6
_CORPUS_STEP = 9
"""Of the corpus a text in nine is embedded, about as many as there are of the examples."""


class Form(NamedTuple):
    """The form of a text.

    Args:
        is_debris: It is a remark, a heading, a scrap or an instruction, and no text.
        breaks_off: It ends in the middle of a sentence.
    """

    is_debris: bool
    breaks_off: bool


@cache
def form_check(embed: Embed | None = None) -> "FormCheck":
    """The form check of this process, which need not learn twice."""
    return FormCheck(embed)


class FormCheck:
    """Judges the form of English texts; it learns when it is made.

    Args:
        embed: The encoder, by which it knows what a text speaks of; None for words alone.
    """

    def __init__(self, embed: Embed | None = None) -> None:
        texts, good, bad = [text for text, _ in corpus()], forms("good"), forms("bad")
        drawn = random.Random(0)  # noqa: S311
        whole = [text for text, _ in good]
        cut = [text for text, kind in bad if kind == _CUT_OFF]
        cut_again = [each for text in 2 * texts if (each := _cut(text, drawn))]
        unmarked = [text.rstrip(_FINAL_MARKS) for text in texts]
        casual = [text.lower() for text in unmarked[::2]]
        self._ends = _learnt(
            TfidfVectorizer(analyzer=_end_of),
            [*texts, *unmarked, *casual, *_REPEATED * whole],
            [*cut_again, *_REPEATED * cut],
        )
        debris = [text for text, kind in bad if kind not in (_CUT_OFF, NO_FEELING)]
        told = [*whole, *texts[::_CORPUS_STEP], *debris]
        labels = [0] * (len(told) - len(debris)) + [1] * len(debris)
        rest = Labelled(texts, [0] * len(texts))
        self._debris = QuickClassifier(embed, _words_and_marks).fit(told, labels, rest)

    def forms(self, texts: Sequence[str]) -> list[Form]:
        """Judge texts; many at once cost little more than a single one."""
        if not texts:
            return []
        with config_context(**UNCHECKED):
            cut = self._ends.predict_proba(texts)[:, 1] > _SURE_OF_THE_END
        debris = self._debris.probabilities(texts)[:, 1] > _SURE_OF_DEBRIS
        # In few words nobody can tell where a sentence ends.
        long = [len(text.split()) >= _LEAST_WORDS_JUDGED for text in texts]
        return [Form(*each) for each in zip(debris.tolist(), (cut & long).tolist(), strict=True)]


def _learnt(features: TfidfVectorizer, good: Sequence[str], bad: Sequence[str]) -> Pipeline:
    logistic = LogisticRegression(C=30, class_weight="balanced", solver="liblinear", random_state=0)
    labels = np.repeat([0, 1], [len(good), len(bad)])
    return make_pipeline(features, logistic).fit([*good, *bad], labels)


def _words_and_marks(text: str) -> list[str]:
    return _WORDS_AND_MARKS.findall(text.lower())


def _end_of(text: str) -> list[str]:
    """Features of a text's end: the last words, their endings, the last mark, the first letter."""
    words = _WORDS.findall(text.lower())
    last = words[-1] if words else ""
    mark = "a" if text[-1:].isalnum() else text[-1:]
    case = "A" if text[:1].isupper() else "a" if text[:1].islower() else "-"
    return [
        *(" ".join(words[-count:]) for count in (1, 2, 3, 4)),
        *(f"{last[-count:]} {mark}" for count in (2, 3, 4)),
        f"begins {case}",
        f"ends {mark}",
        f"begins {case} ends {mark}",
    ]


def _cut(text: str, drawn: random.Random) -> str:
    """Cut a text somewhere, at times within a word; empty if it is short or still looks whole."""
    words = text.split()
    if len(words) < _LEAST_WORDS_CUT:
        return ""
    kept = words[: drawn.randint(3, len(words) - 2)]
    if drawn.random() < _SHARE_CUT_IN_A_WORD and len(kept[-1]) > 4:
        kept[-1] = kept[-1][: drawn.randint(2, len(kept[-1]) - 2)]
    return "" if kept[-1][-1] in f'{_FINAL_MARKS}"' else " ".join(kept)
