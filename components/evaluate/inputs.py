"""Everything that an evaluation is based on, read and checked before any of it is used."""

import csv
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from components import storage
from components.artifacts.dataset import TEST, Dataset, Split, read_dataset, split_file
from components.artifacts.model import bundle
from components.artifacts.model.classifier import Classifier
from components.artifacts.model.history import History, read_history
from components.artifacts.registry import Champion, fetch_model, read_champion
from components.artifacts.task import Task, load_task
from components.errors import InputError
from components.evaluate.gate import Gate, load_gate
from components.evaluate.settings import SAMPLE, EvaluateSettings

_SAMPLE_URI = "package:components.merge/sample/test.csv"
_FEWEST_ROWS = 50
_FEWEST_TEST_ROWS = 2

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class InService:
    """The champion, ready to classify.

    Args:
        champion: The registry's record of it.
        generation: Generation of the registry's pointer when it was read.
        classifier: Its int8 model; None if its labels are not the task's.
    """

    champion: Champion
    generation: int
    classifier: Classifier | None


@dataclass(frozen=True)
class EvaluationInputs:
    """Everything that an evaluation is based on.

    Args:
        task: The labels.
        gate: The requirements for a release.
        dataset: The merged data set.
        out_of_domain: Texts from another source; None if there are none.
        served: The model as it is served (int8).
        full: The same in full precision.
        facts: Facts that train recorded in the model's manifest.
        history: Measurements of the training.
        real_only: A model trained without synthetic rows; None without an ablation.
        in_service: The champion; None if there is none.
    """

    task: Task
    gate: Gate
    dataset: Dataset
    out_of_domain: Split | None
    served: Classifier
    full: Classifier
    facts: Mapping[str, Any]
    history: History
    real_only: Classifier | None
    in_service: InService | None


def read_inputs(
    settings: EvaluateSettings, model: Path, dataset: Path, real_only: Path | None
) -> EvaluationInputs:
    """Read everything that the settings and the pipeline name, as `run.evaluate` takes it.

    Raises:
        InputError: If something is missing, malformed, not to be trusted or of another task.
        WorkError: If the registry or a store does not answer.
    """
    task, gate = load_task(settings.task), load_gate(settings.gate)
    data = read_dataset(dataset, task.names)
    if len(data.test.texts) < _FEWEST_TEST_ROWS:
        rule = f"has one row, but an interval needs at least {_FEWEST_TEST_ROWS}"
        raise InputError(str(split_file(dataset, TEST)), rule, "Merge again with more test rows")
    sealed = bundle.verify(model)
    return EvaluationInputs(
        task=task,
        gate=gate,
        dataset=data,
        out_of_domain=read_out_of_domain(settings.out_of_domain, data, task),
        served=_classifier(sealed, task),
        full=_classifier(sealed, task, "fp32"),
        facts=sealed.facts,
        history=read_history(model),
        real_only=_real_only(real_only, task),
        in_service=_in_service(settings, task) if settings.registry else None,
    )


def read_out_of_domain(reference: str, dataset: Dataset, task: Task) -> Split | None:
    """Read labelled texts that are not in the data set.

    Args:
        reference: Path or URI of a CSV file with the columns `text` and `label`; `sample` for
            the test rows of the embedded sample, if their labels are the task's; or empty.
        dataset: The data set; rows whose text it holds are left out.
        task: The labels, which the file gives as names or ids.

    Returns:
        None without a reference, or if fewer than 50 rows are left.

    Raises:
        InputError: If the file is missing or malformed, or has a label of another task.
    """
    if not reference:
        return None
    rows = _read_rows(_SAMPLE_URI if reference == SAMPLE else reference)
    ids = [task.label_id(label) for _, label in rows]
    empty = [row for row, (text, _) in enumerate(rows, start=1) if not text.strip()]
    if empty:
        rule = f"row {empty[0]} has no text"
        raise InputError(f"out_of_domain {reference}", rule, "Write one, or remove the row")
    if None in ids:
        if reference == SAMPLE:
            return None
        rule = f"row {ids.index(None) + 1} has a label that the task {task.name} lacks"
        fix = f"Use {', '.join(task.names)}"
        raise InputError(f"out_of_domain {reference}", rule, fix)
    splits = (dataset.train, dataset.validation, dataset.test)
    known = {text for split in splits for text in split.texts}
    new = [row for row, (text, _) in enumerate(rows) if text not in known]
    if len(new) < _FEWEST_ROWS:
        _log.info("evaluate: only %d rows of %s are new, too few to test on", len(new), reference)
        return None
    return Split([rows[row][0] for row in new], np.array([ids[row] for row in new], np.int64))


def _read_rows(uri: str) -> list[tuple[str, str]]:
    with TemporaryDirectory() as downloads:
        path = storage.fetch(uri, Path(downloads))
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                # A row that is cut off lacks its last columns.
                rows = csv.DictReader(file, strict=True, restval="")
                return [(row["text"], row["label"]) for row in rows]
        except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
            rule = f"is not a CSV file with the columns text and label ({error})"
            raise InputError(f"out_of_domain {uri}", rule, "Correct the file") from error


def _real_only(folder: Path | None, task: Task) -> Classifier | None:
    is_there = folder is not None and folder.is_dir() and any(folder.iterdir())
    return _classifier(bundle.verify(folder), task) if folder and is_there else None


def _classifier(model: bundle.SealedModel, task: Task, precision: str = "int8") -> Classifier:
    classifier = Classifier(model, precision=precision)
    if classifier.labels != task.names:
        given, wanted = ", ".join(classifier.labels), ", ".join(task.names)
        rule = f"has the labels {given}, but the task has {wanted}"
        raise InputError(f"model {model.folder}", rule, "Set task to the one of its training")
    return classifier


def _in_service(settings: EvaluateSettings, task: Task) -> InService | None:
    champion, generation = read_champion(settings.registry)
    if champion is None:
        _log.info("evaluate: %s has no champion yet", settings.registry)
        return None
    _log.info("evaluate: fetching the champion, run %s", champion.run_id)
    with TemporaryDirectory() as downloads:
        classifier = Classifier(fetch_model(champion, Path(downloads), settings.trust))
    return InService(champion, generation, classifier if classifier.labels == task.names else None)
