"""Prompts: templates from a style file, filled in with attributes that come up evenly."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import jinja2

from components.artifacts.task import Label, Task
from components.errors import InputError
from components.generate.request import Request
from components.generate.study import Aim, Contrast
from components.generate.style import TEXTS_OF_A_CONTRAST, Style


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
        aim: What is asked for in particular.
        round_number: Number of the round that asks for it; 0 if there are no rounds.

    Raises:
        InputError: If the style rewrites real texts, and a label has none.
    """

    task: Task
    style: Style
    seed: int
    examples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    shown: int = 0
    aim: Aim = field(default_factory=Aim)
    round_number: int = 0

    def __post_init__(self) -> None:
        examples = (self.examples.get(name, ()) for name in self.task.names)
        if self.style.rewrites and not all(map(self._fitting, examples)):
            rule = f"rewrites real rows of every label, of at most {self.style.max_characters}"
            fix = "Name the data set with them, or choose another style"
            raise InputError("the style", f"{rule} characters", fix)

    @property
    def attributes(self) -> Mapping[str, Sequence[str]]:
        """The values of each attribute; the task's topics replace the style's."""
        topics = {"topic": self.task.topics} if self.task.topics else {}
        return {**self.style.attributes, **topics}

    def aimed(self, aim: Aim, round_number: int) -> "Prompts":
        """The same prompts with an aim."""
        return replace(self, aim=aim, round_number=round_number)

    def request(self, label: Label, turn: int) -> Request:
        """Build the request number `turn` for a label."""
        attributes = self._attributes(label, turn)
        contrast = self._contrast(label, turn)
        sources = self._sources(label, turn, contrast) if self.style.rewrites else []
        count = len(sources) or self.style.texts_per_request
        return Request(
            label=label.name,
            turn=turn,
            attributes={**attributes, **self._origin(contrast)},
            messages=self._messages(label, turn, attributes, contrast, sources),
            schema=replace(self.style, texts_per_request=count).schema,
            max_tokens=self.style.max_tokens,
            temperature=self.style.temperature,
            seed=self.seed + turn,
        )

    def _attributes(self, label: Label, turn: int) -> Mapping[str, str]:
        attributes = dict(self.attributes)
        aimed_at = self.aim.attributes.items()
        attributes.update({name: values for name, values in aimed_at if name in attributes})
        key = f"{self.seed} {label.name}"
        return {
            name: in_shuffled_rounds(values, turn, f"{key} {name}")
            for name, values in attributes.items()
        }

    def _contrast(self, label: Label, turn: int) -> Contrast | None:
        """One of the labels that this one is taken for, the more often the more it is."""
        contrasts = self.aim.contrasts.get(label.name, ())
        # Few rows are mistaken: of what is rewritten, every other text is any real one.
        if not contrasts or (self.style.rewrites and turn % 2):
            return None
        weights = [each.mistakes for each in contrasts]
        return self._dice(label, turn, "contrast").choices(contrasts, weights)[0]

    def _origin(self, contrast: Contrast | None) -> dict[str, str]:
        """What a sentence tells of the round that it comes from."""
        told = {"round": str(self.round_number)} if self.round_number else {}
        return {**told, "contrast": contrast.other} if contrast else told

    def _sources(self, label: Label, turn: int, contrast: Contrast | None) -> list[str]:
        """Real texts to rewrite; those that are taken for another label if the aim is at them."""
        count = self.style.texts_per_request
        aimed_at = self._drawn(contrast.texts, label, turn, count) if contrast else []
        return aimed_at or self._drawn(self.examples[label.name], label, turn, count)

    def _messages(
        self,
        label: Label,
        turn: int,
        attributes: Mapping[str, str],
        contrast: Contrast | None,
        sources: Sequence[str],
    ) -> list[Mapping[str, str]]:
        values = {"task": self.task, "label": label, **attributes}

        def filled(template: str, count: int, **more: Any) -> str:
            return str(_parsed(template).render(**values, **more, count=count))

        count, shown = self.style.texts_per_request, self._shown(label, turn)
        messages = [{"role": "system", "content": filled(self.style.system, count)}]
        if shown:
            answer = json.dumps(shown, ensure_ascii=False)
            messages.append({"role": "user", "content": filled(self.style.example, len(shown))})
            messages.append({"role": "assistant", "content": answer})
        wanted = filled(self.style.request, len(sources) or count, texts=_quoted(sources))
        if contrast and not sources:
            other = next(each for each in self.task.labels if each.name == contrast.other)
            texts = _quoted(self._drawn(contrast.texts, label, turn, TEXTS_OF_A_CONTRAST))
            wanted += " " + filled(self.style.contrast, count, other=other, texts=texts)
        return [*messages, {"role": "user", "content": wanted}]

    def _shown(self, label: Label, turn: int) -> list[str]:
        if not self.style.example:
            return []
        real = self._drawn(self.examples.get(label.name, ()), label, turn, self.shown)
        return real or list(label.examples)

    def _drawn(self, texts: Sequence[str], label: Label, turn: int, count: int) -> list[str]:
        """Draw some of the texts that fit."""
        fitting = self._fitting(texts)
        return self._dice(label, turn).sample(fitting, min(count, len(fitting)))

    def _fitting(self, texts: Sequence[str]) -> list[str]:
        # Longer ones would not fit, and show another kind of text than is wanted.
        return [text for text in texts if len(text) <= self.style.max_characters]

    def _dice(self, label: Label, turn: int, purpose: str = "") -> random.Random:
        key = f"{self.seed} {label.name} {turn}"
        return random.Random(f"{key} {purpose}" if purpose else key)  # noqa: S311


@lru_cache
def _parsed(template: str) -> jinja2.Template:
    # Parsing takes far longer than filling in, and every request fills in the same few.
    parsed: jinja2.Template = jinja2.Template(template, undefined=jinja2.StrictUndefined)
    return parsed


def _quoted(texts: Sequence[str]) -> str:
    """Texts as a JSON list for a prompt, with their letters as they are; "" for none."""
    return json.dumps(list(texts), ensure_ascii=False) if texts else ""


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
