"""Small changes of a text, to see how stable a prediction is."""

import logging
import re
import string
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from components.artifacts.dataset import Split
from components.artifacts.evaluation.scores import Robustness
from components.artifacts.model.classifier import Classifier

_ROWS = 500
_TYPO_SHARE = 0.2
_EXAMPLE_LENGTH = 60
_KEYS = {
    key: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for place, key in enumerate(row)
}
_NEGATIONS = (
    (re.compile(r"\b(am|is|are|was|were|being|feeling)\b", re.IGNORECASE), r"\1 not"),
    (re.compile(r"\b(i|you|we|they) feel\b", re.IGNORECASE), r"\1 do not feel"),
    (re.compile(r"\b(he|she|it) feels\b", re.IGNORECASE), r"\1 does not feel"),
    (re.compile(r"\bfelt\b", re.IGNORECASE), "did not feel"),
)

_log = logging.getLogger(__name__)

Change = Callable[[str, np.random.Generator], str]


def robustness(
    classifier: Classifier, split: Split, probabilities: NDArray[np.float32], seed: int
) -> tuple[Robustness, ...]:
    """Change texts in ways that should not matter, and by a negation, which should.

    These are the invariance and directional tests of CheckList (Ribeiro et al. 2020, arXiv
    2005.04118). At most 500 rows are drawn. A change is judged before and after on those of them
    that it alters, and left out if there are none.

    Args:
        classifier: The model.
        split: Texts and true labels.
        probabilities: Its predictions for the unchanged texts, shape (rows, labels).
        seed: Seed of the drawn rows and the typos.
    """
    random = np.random.default_rng(seed)
    drawn = np.sort(random.permutation(len(split.texts))[:_ROWS]).tolist()
    predicted = probabilities.argmax(axis=1)
    results = []
    for name, change in CHANGES.items():
        new = {row: change(split.texts[row], random) for row in drawn}
        changed = {row: text for row, text in new.items() if text != split.texts[row]}
        if changed:
            _log.info("evaluate: robustness to %s, %d rows", name, len(changed))
            results.append(_compare(name, classifier, split, predicted, changed))
    return tuple(results)


def typos(text: str, random: np.random.Generator) -> str:
    """Misspell a fifth of the words, at least one: swap letters or hit a neighbouring key."""
    words = text.split(" ")
    places = [place for place, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    count = min(len(places), max(1, round(_TYPO_SHARE * len(words))))
    for place in random.permutation(places)[:count].tolist():
        words[place] = _misspell(words[place], random)
    return " ".join(words)


def without_punctuation(text: str) -> str:
    """Remove ASCII punctuation."""
    return text.translate(str.maketrans("", "", string.punctuation))


def negate(text: str) -> str:
    """Negate the first form of "be" or "feel", if there is one."""
    found = ((pattern.search(text), pattern, new) for pattern, new in _NEGATIONS)
    hits = [(match.start(), pattern, new) for match, pattern, new in found if match]
    if not hits:
        return text
    _, pattern, new = min(hits, key=lambda hit: hit[0])
    return pattern.sub(new, text, count=1)


def _misspell(word: str, random: np.random.Generator) -> str:
    place = int(random.integers(1, len(word) - 1))
    keys = _KEYS.get(word[place].lower())
    if keys and random.random() < 0.5:
        return word[:place] + keys[int(random.integers(len(keys)))] + word[place + 1 :]
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


NEGATION = "a negation"
CHANGES: Mapping[str, Change] = {
    "typos": typos,
    "CAPITAL LETTERS": lambda text, _: text.upper(),
    "Title Case": lambda text, _: text.title(),
    "punctuation added": lambda text, _: f"{text}!!",
    "punctuation removed": lambda text, _: without_punctuation(text),
    "a web address added": lambda text, _: f"{text} https://example.com/a1b2",
    "a neutral emoji added": lambda text, _: f"{text} 📌",
    NEGATION: lambda text, _: negate(text),
}
"""By name; all but the negation leave the meaning unchanged."""


def _compare(
    name: str,
    classifier: Classifier,
    split: Split,
    before: NDArray[np.int64],
    changed: Mapping[int, str],
) -> Robustness:
    """Classify the changed texts, by row, and compare with the predictions before."""
    rows = list(changed)
    after = classifier.probabilities(list(changed.values())).argmax(axis=1)
    truth, before = split.labels[rows], before[rows]
    accuracy = float((after == truth).mean())
    example = min(rows, key=lambda row: abs(len(split.texts[row]) - _EXAMPLE_LENGTH))
    keeps_label = name != NEGATION
    return Robustness(
        name=name,
        before=split.texts[example],
        after=changed[example],
        rows=len(rows),
        accuracy=accuracy if keeps_label else None,
        drop=100 * (float((before == truth).mean()) - accuracy) if keeps_label else None,
        changed=float((after != before).mean()),
    )
