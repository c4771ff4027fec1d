"""Texts that are shipped with the project, for the checks that learn from them."""

import json
from collections.abc import Iterator
from importlib import resources

from components.artifacts.synthetic import AnswerLine, parse_line
from components.generate.parse import candidates_in

_FOLDER = resources.files("components.generate")


def corpus() -> Iterator[tuple[str, str]]:
    """The texts of the shipped corpus with the names of their labels (docs/corpus.md)."""
    lines = (_FOLDER / "corpus" / "emotion.jsonl").read_text(encoding="utf-8").splitlines()
    for line in map(parse_line, lines):
        if isinstance(line, AnswerLine):
            for each in candidates_in(line.completion.raw):
                yield each.text, line.origin.label


def forms(verdict: str) -> list[tuple[str, str]]:
    """Texts that are `good` or `bad` by their form, with the kind of each."""
    lines = (_FOLDER / "forms" / f"{verdict}.jsonl").read_text(encoding="utf-8").splitlines()
    return [(row["text"], row["kind"]) for row in map(json.loads, lines)]
