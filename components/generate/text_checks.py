"""Checks of a text by itself: hidden characters, prompt talk, unsafe words, other languages."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib import resources

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from components.errors import InputError

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_EMOJI = "\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff"
_EMOJI_JOINTS = re.compile(
    f"(?<=[{_EMOJI}])\ufe0f|(?<=[0-9#*])\ufe0f(?=\u20e3)|(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])"
)

_WRITTEN = r"(?:texts?|sentences?|examples?|samples?)"
_SERVE = (
    r"(?:(?:assist|help)(?: you)? with|comply with|fulfill?|generate|provide|create|write)"
    r" (?:that|this|these|those|such|your|content|texts|sentences|examples)"
)
_MACHINE = r"(?:large )?(?:ai|artificial intelligence|llm|language model|virtual assistant|chatbot)"
_EARLIER = r"(?:previous|prior|above|earlier|preceding)"
_PROMPTS = r"(?:instructions?|prompts?)"
_NUMBER = r"(?:\d+|two|three|four|five|six|seven|eight|nine|ten|twenty|several|some)"
_SURE = r"^(?:sure|certainly|of course|absolutely)[!,.:]* here"
_UNABLE = r"(?:cannot|can['\u2019]t|can not|won['\u2019]t|will not|am unable to|am not able to)"
_SIGNS = (
    # The assistant speaks of itself or refuses.
    rf"\bas an? {_MACHINE}\b|\bi(?:['\u2019]m| am) (?:just |only )?an? {_MACHINE}\b",
    r"\bmy training data\b",
    rf"\bi {_UNABLE} {_SERVE}\b",
    rf"\bi['\u2019]m (?:unable|not able) to {_SERVE}\b",
    r"\bmy (?:guidelines|programming)\b",
    # It announces what it writes, or is asked to.
    r"\bjson (?:array|block|format|list|object|output|response)\b",
    rf"\bhere are (?:\w+ ){{0,3}}{_WRITTEN}\b",
    rf"{_SURE} are\b|{_SURE}(?: is|['\u2019]s) (?:\w+ ){{1,3}}{_WRITTEN}\b",
    rf"\b(?:write|generate|give|create|produce) (?:me )?{_NUMBER} (?:\w+ ){{0,3}}{_WRITTEN}\b",
    # A prompt is quoted or overridden.
    rf"\b(?:ignore|disregard|forget|override) (?:\w+ ){{0,3}}{_EARLIER} (?:\w+ )?{_PROMPTS}\b",
    rf"\b(?:system|developer) {_PROMPTS}\b",
    # Chat templates.
    r"<\|[^|<>]{1,40}\|>|\[/?(?:inst|sys)\]|<</?sys>>|</?s>|<(?:start|end)_of_turn>|</?think>",
    r"^(?:system|assistant|user|human) ?:|^#{2,} ?(?:instruction|response|input|system)\b",
)
# Separately, each finds its first letters fast; joined they take twice as long.
_PATTERNS = tuple(re.compile(sign) for sign in _SIGNS)

_LOOK_ALIKES = str.maketrans("@4$5301!7+", "aasseoiitt")
_SEPARATORS = str.maketrans("", "", ".-_")
_PUNCTUATION = ".,;:!?\"'()[]\u2018\u2019\u201c\u201d\u2026\u2013\u2014"
_LETTER = re.compile(r"[^\W\d_]")

# Languages with little written text (Pidgin, Breton) attract short English sentences.
_COMMON_LANGUAGES = {
    *("ar", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id"),
    *("it", "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "th", "tr", "uk", "vi"),
}
_MIN_WORDS_JUDGED = 4
_IMPROBABLE = 0.05


def has_hidden_characters(text: str) -> bool:
    """Check for control, format, private or unassigned characters or selectors in a text.

    Among them are line breaks, bidirectional overrides and isolates, zero-width characters,
    tags and lone surrogates. Characters that join the parts of an emoji are no fault.
    """
    if text.isascii():
        return not text.isprintable()
    rest = _EMOJI_JOINTS.sub("", text)
    return bool(_SELECTORS.search(rest)) or any(unicodedata.category(c) in _HIDDEN for c in rest)


def speaks_of_the_prompt(text: str) -> bool:
    """Check for a refusal, a preamble, an injected instruction or a chat marker in a text."""
    lowered = text.lower()
    return any(pattern.search(lowered) for pattern in _PATTERNS)


def letters_share(text: str) -> float:
    """The share of letters among the characters of a text without its white space."""
    characters = "".join(text.split())
    return sum(map(str.isalpha, characters)) / max(1, len(characters))


def repeated_share(folded: str) -> float:
    """The share of word triples of a folded text that have occurred in it before."""
    words = folded.split()
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return 1 - len(set(triples)) / max(1, len(triples)) if triples else 0.0


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
        """Check for an unsafe word in a text.

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


class LanguageCheck:
    """Finds texts in another language than the wanted one; in doubt a text is in the wanted one.

    Args:
        language: ISO 639-1 code that py3langid knows.

    Raises:
        InputError: If it knows no such language.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._identifier = _identifier(language)

    def is_other(self, text: str) -> bool:
        """Check if a text is long enough to judge, and the wanted language improbable."""
        if len(text.split()) < _MIN_WORDS_JUDGED:
            return False
        likeliest, _ = self._identifier.classify(text)
        if likeliest == self._language:
            return False
        return bool(dict(self._identifier.rank(text))[self._language] < _IMPROBABLE)


def _disguises(text: str) -> Iterator[str]:
    for chunk in text.split():
        word = chunk.strip(_PUNCTUATION)
        if not word.isalpha() and _LETTER.search(word):
            yield _undisguised(word.casefold())


def _undisguised(word: str) -> str:
    return word.translate(_SEPARATORS).translate(_LOOK_ALIKES)


@cache
def _identifier(language: str) -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    if language not in identifier.labels:
        known = ", ".join(sorted(identifier.labels))
        fix = f'Use "" for no check or one of: {known}'
        raise InputError(f"language={language!r}", "is not known to py3langid", fix)
    identifier.set_languages(_COMMON_LANGUAGES | {language})
    return identifier
