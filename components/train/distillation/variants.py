"""More texts, made of those there are: what a teacher sees in them teaches a student more.

A text loses words, gets words of other texts, is cut down to a part of it, or is joined with a part
of another. What comes out need not make sense: the teacher says what it is.

Source: Tang et al. 2019, arXiv 1903.12136, section 3.2.
"""

import random
from collections.abc import Sequence

_SHARE_REPLACED, _SHARE_LOST = 0.12, 0.08
_SHARE_CUT, _SHARE_JOINED = 0.3, 0.2
_LEAST_WORDS = 3
"""Words that a text keeps in any case."""


def varied(texts: Sequence[str], count: int, seed: int) -> list[str]:
    """Make variants of every text, the same for the same seed.

    Args:
        texts: Texts of words with spaces between them; of others only the whole is one word.
        count: Variants of each text.
        seed: Draws what happens to each.
    """
    drawn = random.Random(seed)  # noqa: S311
    split = [text.split() for text in texts]
    pool = [word for words in split for word in words]
    return [
        " ".join(_variant(words, drawn.choice(split), pool, drawn))
        for _ in range(count)
        for words in split
    ]


def _variant(
    words: Sequence[str], other: Sequence[str], pool: Sequence[str], drawn: random.Random
) -> list[str]:
    kind, half = drawn.random(), max(len(words) // 2, _LEAST_WORDS)
    if kind < _SHARE_CUT and len(words) > half:
        size = drawn.randint(half, len(words))
        start = drawn.randint(0, len(words) - size)
        words = words[start : start + size]
    elif kind < _SHARE_CUT + _SHARE_JOINED:
        words = [*words[:half], *other[len(other) // 2 :]]
    changed = [drawn.choice(pool) if drawn.random() < _SHARE_REPLACED else each for each in words]
    kept = [each for each in changed if drawn.random() >= _SHARE_LOST]
    return kept if len(kept) >= _LEAST_WORDS else changed
