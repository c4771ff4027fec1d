"""Files of one split of which one is a copy of another."""

from collections.abc import Sequence
from itertools import combinations

import pandas as pd

from components.errors import InputError

_FEWEST_OF_A_COPY, _MOST_OF_A_COPY = 10, 0.9


def require_distinct(parts: Sequence[pd.DataFrame]) -> None:
    """Refuse files of one split of which one is a copy of another, or of a part of it.

    Args:
        parts: The rows of each, columns `text`, `label` and `file`.

    Raises:
        InputError: If all rows of one are in another, or most of its texts.
    """
    if len(parts) == 1:
        return
    texts = [set(each["text"].map(str)) for each in parts]
    pairs = [set(zip(each["text"].map(str), each["label"].map(str), strict=True)) for each in parts]
    for one, other in combinations(range(len(parts)), 2):
        few, many = sorted((pairs[one], pairs[other]), key=len)
        shared = "all rows"
        if not (few and few <= many and (len(few) >= _FEWEST_OF_A_COPY or few == many)):
            shared = "most texts" if _share_texts(texts[one], texts[other]) else ""
        if shared:
            names = " and ".join(parts[place]["file"].iloc[0] for place in (one, other))
            rule = f"are of one split, and {shared} of one are in the other too"
            raise InputError(names, rule, "Take one of them out of the folder")


def _share_texts(one: set[str], other: set[str]) -> bool:
    """Check for a copy whose labels are written in another way, or with some rows changed."""
    fewest = min(len(one), len(other))
    return fewest >= _FEWEST_OF_A_COPY and len(one & other) >= _MOST_OF_A_COPY * fewest
