"""The words of a text, and a test for texts that are the same, or nearly so.

Chinese, Japanese, Thai, Lao, Khmer and Burmese put no spaces between words, and only a dictionary
could tell them apart. There every letter counts as a word, with the marks that it carries, as it
does where Unicode's rule for word boundaries (UAX #29) is applied without a dictionary.

MinHash LSH proposes near duplicates, the exact Jaccard index decides.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import regex

# Emoji as people type them, in lower case; no part of a URL, a time or a bracketed word.
_EMOTICON = (
    r"[:;=]['^-]?(?:[)(\]\[|]+(?!\w)|[/\\](?![/\\\w]))|(?<!\S)[:;=]['^-]?[dpo3](?!\S)|</?3(?!\w)"
    r"|(?<!\S)(?:[)(\]\[]['^-]?[:;=]|\^[_.]*\^|[>-][_.]+[<-])(?!\S)"
)
# The sign before a number, a question, a comparison with a number, and the # of C#, but not that of
# a hashtag. What stands alone here stands alone in a folded text, too.
_SIGN = (
    r"\?(?:(?![!?\w])|(?=!+(?![!?])))|[<>](?=\s*-?\d)|(?:(?<=\w)|(?<=\w ))#+(?!\w)"
    r"|[%+$\u00a2-\u00a5\u00b1\u00d7\u00f7]+"
)
_NUMBER_BELOW_ZERO = r"(?<!\w)-\d"
# What emoticons and signs begin with: most of what is between words is passed over fast.
_BEGINNING = r"(?=[:;=<>?#%+$^)(\]\[\-\u00a2-\u00a5\u00b1\u00d7\u00f7])"
_WORD = re.compile(rf"\w+|{_BEGINNING}(?:{_EMOTICON}|{_SIGN}|{_NUMBER_BELOW_ZERO}\w*)")
# Latin letters, digits and the punctuation that is usual between them.
_BEYOND_LATIN = re.compile("[^\x00-\u02ff\u2010-\u2027]")
_LETTER_ALONE = r"[\w&&\p{Word_Break=Other}]"
_LETTERS = r"[\w--\p{Word_Break=Other}]"
_EMOJI = r"[[\p{Extended_Pictographic}\p{Regional_Indicator}]--[\x00-\xff]]"
# Without the slashes of fractions, which are also written as that of ASCII.
_SYMBOL = (
    r"[[\u066a\u2030\u2031\p{Sc}\p{Sm}]--[\x00-\xff]--[\u2044\u2215]--\p{Extended_Pictographic}]"
)
_SPACELESS = regex.compile(rf"(?V1){_LETTER_ALONE}")
_WORD_OF_ANY_SCRIPT = regex.compile(
    rf"(?V1){_LETTERS}+|(?!\s)(?:{_LETTER_ALONE}\p{{M}}*|{_EMOJI}+"
    rf"|{_BEGINNING}(?:{_EMOTICON}|{_SIGN}|{_NUMBER_BELOW_ZERO}{_LETTERS}*)|{_SYMBOL}+)"
)
_TERM = regex.compile(
    rf"(?V1)(?<!\S)(?:{_LETTER_ALONE}\S* {_LETTER_ALONE}|[\S--{_LETTER_ALONE}])\S*"
)
# The question marks and the minuses of other keyboards.
_QUESTION_MARKS, _MINUSES = "\u061f\u055e\u1367\u2e2e", "\u2010\u2013\u2212"
_OTHER_KEYBOARDS = re.compile(f"[{_QUESTION_MARKS}{_MINUSES}]")
_AS_ASCII = str.maketrans({**dict.fromkeys(_QUESTION_MARKS, "?"), **dict.fromkeys(_MINUSES, "-")})
# Joiners, the choice between two forms of a character, and the colour of a skin.
_VARIANTS = regex.compile(r"[\p{Join_Control}\p{Variation_Selector}\p{Emoji_Modifier}]+")

_SEED = 1
_MISSED_SHARE = 0.001
_MAX_HASHES = 200

Shingles = Callable[[str], frozenset[str]]
"""The parts of a folded text that two texts are compared by."""


def fold(text: str) -> str:
    """Remove case, punctuation, Unicode variants and extra white space from a text.

    Texts that fold to the same string count as duplicates. What stays are words with a space
    between them, in which emoji in a row and an emoticon are one too, and so are signs that carry
    meaning: those of a question, of numbers, currencies and mathematics. A text without any folds
    to itself.
    """
    if text.isascii():
        normal = text.lower()
    else:
        normal = unicodedata.normalize("NFKC", text).casefold()
        if _OTHER_KEYBOARDS.search(normal):
            normal = normal.translate(_AS_ASCII)
    if _is_latin(normal):
        # For these characters both patterns find the same, and this one is twice as fast.
        found = _WORD.findall(normal)
    else:
        # Without the variants, marks can stand next to a letter that they make one with.
        plain = unicodedata.normalize("NFKC", _VARIANTS.sub("", normal))
        found = _WORD_OF_ANY_SCRIPT.findall(plain)
    return " ".join(found) or normal.strip()


def is_spaceless(text: str) -> bool:
    """Check for letters of a script that puts no spaces between words."""
    return not _is_latin(text) and _SPACELESS.search(text) is not None


def words_of(text: str) -> list[str]:
    """Split a text, folded or not, into words, or letters of a script without spaces."""
    return fold(text).split() if is_spaceless(text) else text.split()


def terms(folded: str) -> list[str]:
    """List what tells a folded text from others: its words.

    Of a script without spaces, these are pairs of neighbouring letters: most texts have most
    letters.
    """
    if not is_spaceless(folded):
        return folded.split()
    return list(_TERM.findall(folded, overlapped=True)) or folded.split()


def words(folded: str) -> frozenset[str]:
    """Take the terms of a text: texts of the same words in any order are the same.

    A question mark is in too many texts to make two of them alike.
    """
    found = frozenset(terms(folded))
    return found - {"?"} or found


def word_pairs(folded: str) -> frozenset[str]:
    """Take the pairs of neighbouring words of a text; a text of one word is its own pair."""
    parts = folded.split()
    return frozenset(map(" ".join, pairwise(parts))) or frozenset(parts)


def telling_words(text: str) -> list[str]:
    """List the words that a classifier may learn from: a Latin letter tells nothing among words."""
    found = fold(text).split()
    return [word for word in found if len(word) > 1 or not _is_latin(word)] or found


class NearTexts:
    """A collection of folded texts that finds one that is nearly the same as a given one.

    At the threshold, one in a thousand pairs is missed, above it fewer; a match is never an
    estimate. Time and memory grow linearly.

    Args:
        similarity: Jaccard index of the shingles from which texts are nearly the same, 0.1 to 1.
        shingles: Takes the parts of a text that are compared.
    """

    def __init__(self, similarity: float, shingles: Shingles) -> None:
        bands, rows = _bands_and_rows(similarity)
        self._similarity, self._shingles = similarity, shingles
        self._hashes = bands * rows
        # Only the images of generate and merge have it.
        from rensa import RMinHash, RMinHashLSH

        self._new_sketch = RMinHash
        self._index = RMinHashLSH(similarity, self._hashes, bands)
        self._texts: dict[int, str] = {}
        self._keys: dict[str, int] = {}

    def add(self, key: int, folded: str) -> None:
        """Remember a text under a key, unless it is known under another one."""
        if self._keys.setdefault(folded, key) != key:
            return
        self._texts[key] = folded
        self._index.insert(key, self._sketch(self._shingles(folded)))

    def find(self, folded: str) -> int | None:
        """Find the key of the same text, else the lowest of one nearly the same, or None."""
        if folded in self._keys:
            return self._keys[folded]
        shingles = self._shingles(folded)
        proposed = sorted(self._index.query(self._sketch(shingles)))
        return next((key for key in proposed if self._is_near(shingles, key)), None)

    def _is_near(self, shingles: frozenset[str], key: int) -> bool:
        other = self._shingles(self._texts[key])
        return len(shingles & other) >= self._similarity * len(shingles | other)

    def _sketch(self, shingles: frozenset[str]) -> Any:
        sketch = self._new_sketch(self._hashes, _SEED)
        sketch.update(list(shingles))
        return sketch


def near_matches(
    texts: Iterable[str], references: Sequence[str], similarity: float
) -> list[int | None]:
    """Find for each text the place of a reference that is (nearly) the same, or None."""
    known = NearTexts(similarity, word_pairs)
    for place, folded in enumerate(map(fold, references)):
        known.add(place, folded)
    return [known.find(fold(text)) for text in texts]


def first_matches(texts: Iterable[str], similarity: float) -> list[int | None]:
    """Find for each text the place of an earlier one that it (nearly) repeats, or None."""
    known = NearTexts(similarity, word_pairs)
    matches = []
    for place, folded in enumerate(map(fold, texts)):
        matches.append(known.find(folded))
        if matches[-1] is None:
            known.add(place, folded)
    return matches


def _is_latin(text: str) -> bool:
    """Check for nothing but Latin letters, digits and usual punctuation; this is fast."""
    return text.isascii() or _BEYOND_LATIN.search(text) is None


def _bands_and_rows(similarity: float) -> tuple[int, int]:
    """Compute the most selective split of hashes into bands that misses few pairs.

    A pair of Jaccard index s is proposed with probability 1 - (1 - s^rows)^bands (Leskovec,
    Rajaraman, Ullman: Mining of Massive Datasets, section 3.4.2).
    """
    fitting = (_MAX_HASHES, 1)
    for rows in range(1, 17):
        same_band = min(similarity**rows, 1 - _MISSED_SHARE)
        bands = math.ceil(math.log(_MISSED_SHARE) / math.log1p(-same_band))
        if bands * rows <= _MAX_HASHES:
            fitting = (bands, rows)
    return fitting
