"""The letters that stand for the labels where an LLM judges; preflight counts them too."""

import string

from components.artifacts.task import Task
from components.errors import InputError
from components.generate.settings import CLASSIFIERS, WORDS

LETTERS = string.ascii_uppercase


def require_letters(judge: str, task: Task) -> None:
    """Refuse an LLM as the judge where the task has more labels than there are letters.

    Args:
        judge: As in `GenerateSettings`; nobody, and a classifier, need no letters.
        task: Its labels are what is judged.

    Raises:
        InputError: If there are too few letters.
    """
    if judge not in {"", *CLASSIFIERS} and len(task.labels) > len(LETTERS):
        rule = f"can tell {len(LETTERS)} labels apart, and the task has {len(task.labels)}"
        raise InputError(f"judge={judge!r}", rule, f"Use {WORDS}, or leave judge empty")
