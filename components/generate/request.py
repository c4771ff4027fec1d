"""A question to an LLM, and its answer."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.artifacts.ledger_lines import Completion, OpinionLine
from components.generate.answers.parse import Candidate, candidates_in


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
        first_tokens: Number of the likeliest first tokens to tell with their log-probabilities.
    """

    label: str
    turn: int
    attributes: Mapping[str, str]
    messages: Sequence[Mapping[str, str]] = field(repr=False)
    schema: Mapping[str, Any] = field(repr=False)
    max_tokens: int
    temperature: float
    seed: int
    first_tokens: int = 0

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides the answer: equal requests need not be sent twice."""
        content = [self.messages, self.schema, self.max_tokens, self.temperature, self.seed]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Answer:
    """The LLM's answer to a request, and a judge's opinions of the texts in it, if there is one."""

    request: Request
    completion: Completion
    opinions: Mapping[str, OpinionLine] = field(default_factory=dict)

    def candidates(self, labels: Collection[str]) -> list[Candidate]:
        """The candidates in it; `labels` are the names that its keys may be."""
        is_whole = self.completion.finish_reason != "length"
        return candidates_in(self.completion.raw, labels, is_whole=is_whole)
