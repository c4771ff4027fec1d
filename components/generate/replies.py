"""What a chat server replied, read as servers really write it."""

import json
import math
from collections.abc import Iterator
from typing import Any

from components.artifacts.ledger_lines import Completion

_TEXT_PARTS = {"text", "output_text"}


def completion_in(answer: Any) -> Completion | None:
    """Read the completion in an answer, whose cost in seconds is not in it.

    Args:
        answer: What the client made of the body; it checks nothing of it.

    Returns:
        The completion; None if there is no message in it. Where a message without text says why,
        that is its finish reason.
    """
    choices = getattr(answer, "choices", None)
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = getattr(choice, "message", None)
    if message is None or not hasattr(message, "content"):
        return None
    raw, finish_reason = _text(message.content), str(getattr(choice, "finish_reason", ""))
    if not raw:
        reasons = {"refusal": "refusal", "reasoning_content": "thoughts", "reasoning": "thoughts"}
        said = (reason for name, reason in reasons.items() if getattr(message, name, None))
        finish_reason = next(said, finish_reason)
    usage = getattr(answer, "usage", None)
    prompt, completion = (_count(usage, f"{name}_tokens") for name in ("prompt", "completion"))
    first_token = dict(_first_token(choice))
    return Completion(raw, finish_reason, prompt, completion, 0.0, first_token)


def _first_token(choice: Any) -> Iterator[tuple[str, float]]:
    """The likeliest first tokens of an answer with their log-probabilities."""
    told = getattr(getattr(choice, "logprobs", None), "content", None)
    first = told[0] if isinstance(told, list) and told else None
    likeliest = getattr(first, "top_logprobs", None)
    for each in likeliest if isinstance(likeliest, list) else ():
        token, value = getattr(each, "token", None), getattr(each, "logprob", None)
        if isinstance(token, str) and isinstance(value, int | float) and math.isfinite(value):
            yield token, float(value)


def _count(usage: Any, name: str) -> int:
    count = getattr(usage, name, 0)
    return count if isinstance(count, int) else 0


def _text(content: Any) -> str:
    """A message's text, whole or in parts; parts of what was thought are left out."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    if parts and all(isinstance(part, str) for part in parts):
        # Some servers decode the JSON that was asked for.
        return json.dumps(parts)
    spoken = (part for part in parts if isinstance(part, dict))
    texts = (part.get("text") for part in spoken if part.get("type", "text") in _TEXT_PARTS)
    return "".join(text for text in texts if isinstance(text, str))
