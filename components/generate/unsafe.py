"""A filter for obscene words and slurs, including disguised ones."""

import re
from collections.abc import Iterator
from importlib import resources

_LOOK_ALIKES = str.maketrans("@4$5301!7+", "aasseoiitt")
_SEPARATORS = str.maketrans("", "", ".-_")
_PUNCTUATION = ".,;:!?\"'()[]\u2018\u2019\u201c\u201d\u2026\u2013\u2014"
_LETTER = re.compile(r"[^\W\d_]")


class UnsafeWords:
    """Finds words of better-profanity's English list, without those that are everyday words.

    Found: whole words in any case, with look-alike characters (`sh1t`) or separators
    (`s-h-i-t`), and the list's phrases.

    Left alone: the list's medical words, names of groups, mild curses and double meanings in
    `everyday_words.txt`, which people need to say how they feel.

    Not found: words masked by asterisks, misspellings that are not listed, other languages and
    scripts, and texts that are unsafe by their meaning: threats, self-harm, hate in polite words,
    personal data. It is not a safety classifier.
    """

    def __init__(self) -> None:
        listed = resources.files("better_profanity") / "profanity_wordlist.txt"
        everyday = resources.files("components.generate") / "everyday_words.txt"
        entries = set(listed.read_text(encoding="utf-8").lower().splitlines())
        entries -= set(everyday.read_text(encoding="utf-8").splitlines())
        self._phrases = tuple(sorted(f" {entry} " for entry in entries if " " in entry))
        self._words = {_undisguised(entry) for entry in entries if entry and " " not in entry}

    def occur_in(self, text: str, folded: str) -> bool:
        """Tell if a text has an unsafe word.

        Args:
            text: The text as it is.
            folded: The same text after `components.texts.fold`.
        """
        padded = f" {folded} "
        return (
            not self._words.isdisjoint(folded.split())
            or any(phrase in padded for phrase in self._phrases)
            or any(word in self._words for word in _disguises(text))
        )


def _disguises(text: str) -> Iterator[str]:
    for chunk in text.split():
        word = chunk.strip(_PUNCTUATION)
        if not word.isalpha() and _LETTER.search(word):
            yield _undisguised(word.casefold())


def _undisguised(word: str) -> str:
    return word.translate(_SEPARATORS).translate(_LOOK_ALIKES)
