"""Faults that a text shows by itself: hidden characters, repetition, talk of the prompt."""

import re
import unicodedata

_OTHER = {"Cc", "Cf", "Cs", "Co", "Cn"}
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
_EARLIER = r"(?:previous|prior|above|earlier|preceding)"
_PROMPTS = r"(?:instructions?|prompts?)"
_NUMBER = r"(?:\d+|two|three|four|five|six|seven|eight|nine|ten|twenty|several|some)"
_SURE = r"^(?:sure|certainly|of course|absolutely)[!,.:]* here"
_UNABLE = r"(?:cannot|can['\u2019]t|can not|won['\u2019]t|will not|am unable to|am not able to)"
_SIGNS = (
    # The assistant speaks of itself or refuses.
    r"\bas an? (?:ai|artificial intelligence|llm)\b|\blanguage model\b|\bmy training data\b",
    r"\bi(?:['\u2019]m| am) (?:just |only )?an? (?:ai|llm|virtual assistant|chatbot)\b",
    rf"\bi {_UNABLE} {_SERVE}\b",
    rf"\bi['\u2019]m (?:unable|not able) to {_SERVE}\b",
    r"\bmy (?:guidelines|programming)\b",
    # It announces what it writes, or is asked to.
    rf"\bjson\b|\bhere are (?:\w+ ){{0,3}}{_WRITTEN}\b",
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


def has_hidden_characters(text: str) -> bool:
    """Tell if a text has control, format, private or unassigned characters or selectors.

    Among them are line breaks, bidirectional overrides and isolates, zero-width characters,
    tags and lone surrogates. Characters that join the parts of an emoji are no fault.
    """
    if text.isascii():
        return not text.isprintable()
    rest = _EMOJI_JOINTS.sub("", text)
    return bool(_SELECTORS.search(rest)) or any(unicodedata.category(c) in _OTHER for c in rest)


def speaks_of_the_prompt(text: str) -> bool:
    """Tell if a text has a refusal, a preamble, an injected instruction or a chat marker."""
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
