"""A question to an LLM, and its answer."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.artifacts.synthetic import Completion


@dataclass(frozen=True)
class Request:
    """One question to the LLM.

    Args:
        label: Name of the label that sentences are wanted for.
        turn: Number of earlier requests for this label.
        attributes: What else the prompt asks for, for the ledger.
        messages: The chat, in the protocol's form.
        schema: JSON schema of the answer; empty asks for free text.
        max_tokens: Length at which an answer is cut off.
        temperature: Sampling temperature.
        seed: Seed of the sampling.
    """

    label: str
    turn: int
    attributes: Mapping[str, str]
    messages: Sequence[Mapping[str, str]] = field(repr=False)
    schema: Mapping[str, Any] = field(repr=False)
    max_tokens: int
    temperature: float
    seed: int

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides the answer: equal requests need not be sent twice."""
        content = [self.messages, self.schema, self.max_tokens, self.temperature, self.seed]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Answer:
    """The LLM's answer to a request."""

    request: Request
    completion: Completion
