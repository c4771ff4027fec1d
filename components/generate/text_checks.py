"""Checks of a text by itself: hidden characters, prompt talk, unsafe words, other languages."""

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

import regex
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from components.errors import InputError
from components.texts import is_spaceless, words_of

# Selectors are marks by their category, and change nothing that is seen but for an emoji.
_HIDDEN = regex.compile(r"[\p{C}\p{Variation_Selector}]")
_EMOJI = r"\p{Extended_Pictographic}"
_JOINED = r"[[\p{Script_Extensions=Arabic}\P{Indic_Syllabic_Category=Other}]&&[\p{L}\p{M}]]"
_VIRAMA = r"\p{Canonical_Combining_Class=Virama}"
_UNSPACED = r"\p{Line_Break=Complex_Context}"
_JOINTS = regex.compile(
    r"(?V1)"
    rf"(?<={_EMOJI})\ufe0f|(?<=[0-9#*])\ufe0f(?=\u20e3)"
    rf"|(?<=[{_EMOJI}\p{{Emoji_Modifier}}\ufe0f])\u200d(?={_EMOJI})"
    # Persian parts a word without a space, Indic scripts choose the form of a letter, and Khmer
    # marks where a line may break.
    rf"|(?<={_JOINED})[\u200c\u200d](?={_JOINED})|(?<={_VIRAMA})[\u200c\u200d]"
    rf"|(?<={_UNSPACED})\u200b(?={_UNSPACED})"
)
_WITHIN_LETTERS = regex.compile(r"[\p{M}\p{Join_Control}]+")

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

_WORDS_COMPARED = 3
_LETTERS_COMPARED = 6  # about as long, and as rarely repeated by chance

# Languages with little written text (Pidgin, Breton) attract short English sentences. Those with a
# script of their own attract nothing else, and are known as others by it.
_COMMON_LANGUAGES = {
    *("ar", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id"),
    *("it", "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "th", "tr", "uk", "vi"),
    *("am", "gu", "hy", "ka", "km", "kn", "lo", "ml", "or", "pa", "si", "ta", "te", "zh"),
}
_MIN_WORDS_JUDGED = 4
_IMPROBABLE = 0.05


def has_hidden_characters(text: str) -> bool:
    """Check for control, format, private or unassigned characters or selectors in a text.

    Among them are line breaks, bidirectional overrides and isolates, zero-width characters,
    tags and lone surrogates. Characters that join the parts of an emoji are no fault, nor are
    joiners between letters of a script that is written with them.
    """
    if text.isascii():
        return not text.isprintable()
    return _HIDDEN.search(_JOINTS.sub("", text)) is not None


def speaks_of_the_prompt(text: str) -> bool:
    """Check for a refusal, a preamble, an injected instruction or a chat marker in a text."""
    lowered = text.lower()
    return any(pattern.search(lowered) for pattern in _PATTERNS)


def letters_share(text: str) -> float:
    """The share of letters among the characters of a text without its white space.

    A mark on a letter, such as a vowel of Hindi, is part of it.
    """
    characters = "".join(text.split())
    if not characters.isascii():
        characters = _WITHIN_LETTERS.sub("", characters)
    return sum(map(str.isalpha, characters)) / max(1, len(characters))


def repeated_share(folded: str) -> float:
    """The share of word triples of a folded text that have occurred in it before.

    Of a script without spaces, rows of six letters are compared.
    """
    words = folded.split()
    length = _LETTERS_COMPARED if is_spaceless(folded) else _WORDS_COMPARED
    rows = list(zip(*(words[start:] for start in range(length)), strict=False))
    return 1 - len(set(rows)) / len(rows) if rows else 0.0


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
        if len(words_of(text)) < _MIN_WORDS_JUDGED:
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
