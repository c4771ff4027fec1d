"""Real texts to show an LLM, from the train split alone."""

from collections.abc import Mapping, Sequence

from components.artifacts.task import load_task
from components.merge.rows import real_train
from components.merge.settings import MergeSettings


def train_examples(settings: MergeSettings) -> Mapping[str, Sequence[str]]:
    """The real train texts of each label.

    They are read and split by merge's own code with the same settings, so no text that merge
    keeps for validation or test is ever shown to an LLM.

    Raises:
        InputError: If the data set cannot be read or split.
    """
    rows, names = real_train(settings), load_task(settings.task).names
    return {name: list(rows["text"][rows["label"] == label]) for label, name in enumerate(names)}
