"""A run as far as it is known here: its evaluation, its data set and its settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components import storage
from components.artifacts.dataset import Description, read_description
from components.artifacts.evaluation import METRICS, Evaluation, read_evaluation
from components.artifacts.model import bundle
from components.errors import InputError

DATASET, MODEL = "dataset", "emotion_lora_model"
"""Names in the folder of a local run."""


@dataclass(frozen=True)
class Run:
    """A run that is compared with another.

    Args:
        name: Its name on the page.
        evaluation: The evaluation of its model.
        data: The description of its data set; None if only the evaluation is known.
        settings: Settings of its training by name; empty if they are not known.
    """

    name: str
    evaluation: Evaluation
    data: Description | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def read_run(reference: str) -> Run:
    """Read a run.

    Args:
        reference: The folder of a local run, or path or URI of an evaluation.

    Raises:
        InputError: If there is no evaluation, or something of the run is malformed.
    """
    folder = storage.local_path(reference)
    if not folder or not folder.is_dir():
        return Run(reference, read_evaluation(reference))
    if not (folder / METRICS).is_file():
        rule = f"holds no {METRICS}, so it is no run that has come to its evaluation"
        raise InputError(f"run {reference}", rule, "Name a folder of runs/, or an evaluation")
    data = folder / DATASET
    return Run(
        folder.resolve().name,
        read_evaluation(folder / METRICS),
        read_description(data) if data.is_dir() else None,
        _settings(folder / MODEL / bundle.MANIFEST),
    )


def require_comparable(first: Run, second: Run) -> None:
    """Refuse runs of different tasks.

    Raises:
        InputError: If their labels differ.
    """
    labels = [", ".join(run.evaluation.labels) for run in (first, second)]
    if labels[0] != labels[1]:
        rule = f"has the labels {labels[1]}, but run {first.name} has {labels[0]}"
        raise InputError(f"run {second.name}", rule, "Compare runs of one task")


def have_same_test_rows(first: Run, second: Run) -> bool | None:
    """Tell whether two runs were tested on the same rows; None if that is not known."""
    if first.evaluation.test.rows != second.evaluation.test.rows:
        return False
    if not first.data or not second.data:
        return None
    hashes = [run.data.sha256.get("test.parquet") for run in (first, second) if run.data]
    return hashes[0] == hashes[1]


def _settings(manifest: Path) -> Mapping[str, Any]:
    return dict(bundle.read_facts(manifest).get("settings", {})) if manifest.is_file() else {}
