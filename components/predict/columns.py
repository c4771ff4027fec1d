"""The columns that are added to a row: its label, how sure the model is, and why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EMPTY, NOT_TEXT, TOO_LONG = "empty", "not text", "too long"
"""Why a row gets no label."""


@dataclass(frozen=True)
class Columns:
    """Names of the added columns.

    Args:
        labels: The model's labels.
        prefix: Begins each name.
    """

    labels: tuple[str, ...]
    prefix: str = ""

    @property
    def label(self) -> str:
        """The most probable label; null without one."""
        return f"{self.prefix}label"

    @property
    def probability(self) -> str:
        """The probability of that label."""
        return f"{self.prefix}probability"

    @property
    def probabilities(self) -> tuple[str, ...]:
        """The probability of each label, in the model's order."""
        return tuple(f"{self.prefix}probability_{each}" for each in self.labels)

    @property
    def reason(self) -> str:
        """Why a row has no label; null for one that has."""
        return f"{self.prefix}no_label"

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, in their order."""
        return self.label, self.probability, *self.probabilities, self.reason


@dataclass(frozen=True)
class Scores:
    """What the model says of some rows.

    Args:
        reasons: Why a row has no label; None for one that has, shape (rows,).
        probabilities: Shape (rows, labels); NaN where there is none.
    """

    reasons: Sequence[str | None]
    probabilities: NDArray[np.float32]

    def columns(self, labels: Sequence[str]) -> tuple[list[str | None], NDArray[np.float32]]:
        """The label of each row, or None, and a matrix of its probability and all labels'."""
        missing = np.array([each is not None for each in self.reasons], dtype=bool)
        filled = np.where(missing[:, None], 0, self.probabilities)
        winners = filled.argmax(axis=1)
        named = [
            None if absent else labels[winner]
            for absent, winner in zip(missing, winners, strict=True)
        ]
        highest = self.probabilities[np.arange(len(named)), winners]
        return named, np.column_stack([highest, self.probabilities])


def reason_for(text: object, max_characters: int) -> str | None:
    """Tell why a text gets no label, as the predictor would refuse it; None if it gets one.

    Args:
        text: A cell of the column of texts.
        max_characters: Most characters of a text.
    """
    if text is None:
        return EMPTY
    if not isinstance(text, str):
        return NOT_TEXT
    if not text.strip():
        return EMPTY
    if len(text) > max_characters:
        return TOO_LONG
    # Half a surrogate pair, which JSON can hold, is no character.
    return None if text.isascii() or _is_unicode(text) else NOT_TEXT


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
