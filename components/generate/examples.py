"""Texts that are shipped with the project, for the checks that learn from them."""

import json
from functools import cache
from importlib import resources

from components.artifacts.ledger_lines import AnswerLine, parse_line
from components.artifacts.task import Task
from components.generate.answers.parse import candidates_in

CORPUS_LANGUAGE = "en"
"""ISO 639-1 code of the language of all shipped texts."""

NO_FEELING = "no feeling"
"""Kind of the shipped texts that show none of the corpus's labels."""

_FOLDER = resources.files("components.generate")


@cache
def corpus() -> tuple[tuple[str, str], ...]:
    """The texts of the shipped corpus with the names of their labels (docs/corpus.md)."""
    lines = (_FOLDER / "corpus" / "emotion.jsonl").read_text(encoding="utf-8").splitlines()
    answers = (line for line in map(parse_line, lines) if isinstance(line, AnswerLine))
    return tuple(
        (each.text, line.origin.label)
        for line in answers
        for each in candidates_in(line.completion.raw)
    )


def corpus_has(task: Task) -> bool:
    """Tell whether the corpus is of a task: every label of it is one of the task's."""
    return {name for _, name in corpus()} <= set(task.names)


def forms(verdict: str) -> list[tuple[str, str]]:
    """Texts that are `good` or `bad` by their form, with the kind of each."""
    lines = (_FOLDER / "forms" / f"{verdict}.jsonl").read_text(encoding="utf-8").splitlines()
    return [(row["text"], row["kind"]) for row in map(json.loads, lines)]
