"""Texts in which an LLM speaks of its task, or someone speaks to it."""

import re

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
# One by one, each finds its first letters fast; joined they take twice as long.
_PATTERNS = tuple(re.compile(sign) for sign in _SIGNS)


def speaks_of_the_prompt(text: str) -> bool:
    """Whether a text has a refusal, a preamble, an injected instruction or a chat marker."""
    lowered = text.lower()
    return any(pattern.search(lowered) for pattern in _PATTERNS)
