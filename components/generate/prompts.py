"""Prompts: templates from a style file, filled in with attributes that come up evenly."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import jinja2

from components.artifacts.task import Label, Task
from components.generate.request import Request
from components.generate.style import Style


@dataclass(frozen=True)
class Prompts:
    """Builds the requests of a task; equal arguments build equal requests.

    Args:
        task: Its labels are asked for; its topics replace the style's.
        style: Templates, attributes and bounds.
        seed: Decides the order of the attributes, the examples and the sampling.
        examples: Real texts of each label, of which those are shown that are not longer than the
            style's texts; a label without any gets the task's own examples.
        shown: Number of `examples` that a request shows; with 0 it shows the task's own.
    """

    task: Task
    style: Style
    seed: int
    examples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    shown: int = 0

    def request(self, label: Label, turn: int) -> Request:
        """Build the request number `turn` for a label."""
        attributes = self._attributes(label, turn)
        return Request(
            label=label.name,
            turn=turn,
            attributes=attributes,
            messages=self._messages(label, turn, attributes),
            schema=self.style.schema,
            max_tokens=self.style.max_tokens,
            temperature=self.style.temperature,
            seed=self.seed + turn,
        )

    def _attributes(self, label: Label, turn: int) -> Mapping[str, str]:
        attributes = dict(self.style.attributes)
        if self.task.topics:
            attributes["topic"] = self.task.topics
        key = f"{self.seed} {label.name}"
        return {
            name: in_shuffled_rounds(values, turn, f"{key} {name}")
            for name, values in attributes.items()
        }

    def _messages(
        self, label: Label, turn: int, attributes: Mapping[str, str]
    ) -> list[Mapping[str, str]]:
        def filled(template: str, count: int) -> str:
            text = jinja2.Template(template, undefined=jinja2.StrictUndefined)
            return str(text.render(task=self.task, label=label, count=count, **attributes))

        count, shown = self.style.texts_per_request, self._shown(label, turn)
        messages = [{"role": "system", "content": filled(self.style.system, count)}]
        if shown:
            answer = json.dumps(shown, ensure_ascii=False)
            messages.append({"role": "user", "content": filled(self.style.example, len(shown))})
            messages.append({"role": "assistant", "content": answer})
        return [*messages, {"role": "user", "content": filled(self.style.request, count)}]

    def _shown(self, label: Label, turn: int) -> list[str]:
        real = self.examples.get(label.name, ()) if self.shown else ()
        # Longer ones would not fit, and show another kind of text than is wanted.
        fitting = [text for text in real if len(text) <= self.style.max_characters]
        if not fitting:
            return list(label.examples)
        drawn = random.Random(f"{self.seed} {label.name} {turn}")  # noqa: S311
        return drawn.sample(fitting, min(self.shown, len(fitting)))


def in_shuffled_rounds(values: Sequence[str], turn: int, key: str) -> str:
    """Choose a value so that each comes up once in every round, in an order of its own.

    Lists with other keys are gone through independently, so that after few rounds their values
    have met in nearly all pairs; going through a grid in order would tie them to each other.

    Args:
        values: What to choose from.
        turn: Number of the turn, from 0.
        key: Decides the orders.
    """
    round_number, place = divmod(turn, len(values))
    order = list(values)
    random.Random(f"{key} {round_number}").shuffle(order)  # noqa: S311
    return order[place]
