"""What one server takes of the OpenAI chat protocol, learnt from the words of its refusals."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from components.generate.request import Request

_OTHER_NAME = "max_completion_tokens"
# What a refusal calls each parameter of a `Dialect`.
_NAMES = {
    "max_tokens": re.compile(r"max_(?:completion_)?tokens"),
    "temperature": re.compile(r"\btemperature\b", re.IGNORECASE),
    "seed": re.compile(r"\bseed\b", re.IGNORECASE),
    "first_tokens": re.compile(r"log.?probs", re.IGNORECASE),
    "schema": re.compile(r"response_format|schema|grammar|structured output", re.IGNORECASE),
    "system": re.compile(
        r"system.{0,3} (?:role|message|prompt)|role.{0,20}system|roles? must alternate"
        r"|only user\b.{0,5}assistant|unexpected (?:message )?role|developer instruction"
        r"|should be 'user' or 'assistant'|(?:value|role)\W{0,4}system\b",
        re.IGNORECASE,
    ),
}
# Of one prompt, not of the way of asking.
_TOO_LONG = re.compile(r"context (?:length|window|size)|too (?:long|large)", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """The parameters and roles that a server is asked with.

    Sources: https://platform.openai.com/docs/api-reference/chat/create; reasoning models take
    `max_completion_tokens` and no temperature, some servers forbid fields that they do not know,
    and some chat templates have no system role.

    Args:
        schema: A JSON schema for the answer.
        max_tokens: Name of the parameter that bounds the answer; empty for none.
        temperature: The sampling temperature.
        seed: The seed of the sampling.
        first_tokens: Whether the likeliest first tokens are asked for, where a request wants them.
        system: Messages of the role `system`; without, their text begins the first user message.
    """

    schema: bool = True
    max_tokens: str = "max_tokens"
    temperature: bool = True
    seed: bool = True
    first_tokens: bool = True
    system: bool = True

    def arguments(self, request: Request, model: str) -> dict[str, Any]:
        """The body of a chat completion request."""
        body: dict[str, Any] = {
            "model": model,
            "messages": request.messages if self.system else _without_system(request.messages),
        }
        if self.max_tokens:
            body[self.max_tokens] = request.max_tokens
        if self.temperature:
            body["temperature"] = request.temperature
        if self.seed:
            body["seed"] = request.seed
        if self.first_tokens and request.first_tokens:
            body |= {"logprobs": True, "top_logprobs": request.first_tokens}
        if self.schema and request.schema:
            schema = {"name": "texts", "schema": request.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    def after(self, refusal: str) -> "Dialect | None":
        """Leave out, or rename, what a refusal names first.

        Returns:
            The way to ask from now on; None if it names nothing that is asked with.
        """
        if _TOO_LONG.search(refusal):
            return None
        named = [
            (found.start(), parameter)
            for parameter, pattern in _NAMES.items()
            if getattr(self, parameter) and (found := pattern.search(refusal))
        ]
        if not named:
            return None
        _, first = min(named)
        if first == "max_tokens":
            return replace(self, max_tokens=_OTHER_NAME if self.max_tokens != _OTHER_NAME else "")
        off: dict[str, Any] = {first: False}
        return replace(self, **off)


def _without_system(messages: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    rules = [message["content"] for message in messages if message["role"] == "system"]
    first, *rest = (message for message in messages if message["role"] != "system")
    return [{**first, "content": "\n\n".join([*rules, first["content"]])}, *rest]
