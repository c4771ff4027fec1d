"""Prompts: templates from a data file, filled in with attributes that cover a grid evenly."""

import itertools
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import jinja2
import yaml

from components.generate.llm import Request
from components.task import Label, Task

_MIN_CHARACTERS = 15
_CHARACTERS_PER_TOKEN = 2.5


@dataclass(frozen=True)
class PromptSource:
    """The content of `prompts.yaml`: templates, the forms texts may take, and bounds."""

    system: str
    example: str
    request: str
    forms: Sequence[str]
    topics: Sequence[str]
    texts_per_request: int
    temperature: float
    max_characters: int

    @property
    def schema(self) -> Mapping[str, Any]:
        """JSON schema of an answer: a list of texts of bounded length."""
        text = {"type": "string", "minLength": _MIN_CHARACTERS, "maxLength": self.max_characters}
        count = self.texts_per_request
        return {"type": "array", "items": text, "minItems": count, "maxItems": count}


def read_source() -> PromptSource:
    """Read the prompts that ship with the step."""
    text = (resources.files("components.generate") / "prompts.yaml").read_text(encoding="utf-8")
    return PromptSource(**yaml.safe_load(text))


@dataclass(frozen=True)
class Prompts:
    """Builds the requests of a task; equal arguments build equal requests.

    Args:
        task: Its labels are asked for; its topics and examples steer the answers.
        source: Templates and bounds.
        seed: Decides the order of the attributes and the sampling.
    """

    task: Task
    source: PromptSource
    seed: int

    def request(self, label: Label, turn: int) -> Request:
        """The request number `turn` for a label."""
        attributes = self._attributes(label, turn)
        source = self.source
        return Request(
            label=label.name,
            turn=turn,
            attributes=attributes,
            messages=self._messages(label, attributes),
            schema=source.schema,
            max_tokens=int(
                source.texts_per_request * source.max_characters / _CHARACTERS_PER_TOKEN
            ),
            temperature=source.temperature,
            seed=self.seed + turn,
        )

    def _attributes(self, label: Label, turn: int) -> Mapping[str, str]:
        grid = list(itertools.product(self.task.topics or self.source.topics, self.source.forms))
        random.Random(f"{self.seed} {label.name}").shuffle(grid)  # noqa: S311
        topic, form = grid[turn % len(grid)]
        return {"topic": topic, "form": form}

    def _messages(self, label: Label, attributes: Mapping[str, str]) -> list[Mapping[str, str]]:
        def filled(template: str, count: int) -> str:
            text = jinja2.Template(template, undefined=jinja2.StrictUndefined)
            return str(text.render(task=self.task, label=label, count=count, **attributes))

        examples = label.examples and [
            {"role": "user", "content": filled(self.source.example, len(label.examples))},
            {"role": "assistant", "content": json.dumps(label.examples, ensure_ascii=False)},
        ]
        count = self.source.texts_per_request
        return [
            {"role": "system", "content": filled(self.source.system, count)},
            *examples,
            {"role": "user", "content": filled(self.source.request, count)},
        ]
