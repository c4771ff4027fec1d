"""What a model is measured with, read and checked before any of it is used."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components.artifacts.dataset import Dataset, Split, read_dataset
from components.artifacts.model import bundle
from components.artifacts.model.classifier import Classifier
from components.artifacts.registry import Champion, fetch_model, read_champion
from components.artifacts.task import Task, load_task
from components.errors import InputError
from components.evaluate.gate.gate_file import Gate, load_gate
from components.evaluate.inputs import History, read_history
from components.evaluate.out_of_domain import read_out_of_domain
from components.evaluate.settings import EvaluateSettings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class InService:
    """The champion, ready to classify.

    Args:
        champion: What the registry says of it.
        generation: Generation of the registry's pointer when it was read.
        classifier: Its int8 model; None if its labels are not the task's.
    """

    champion: Champion
    generation: int
    classifier: Classifier | None


@dataclass(frozen=True)
class Given:
    """What a model is measured with.

    Args:
        task: The labels.
        gate: What is demanded.
        dataset: The merged data set.
        out_of_domain: Texts from elsewhere; None if there are none.
        served: The model as it is served (int8).
        full: The same in full precision.
        facts: What train said of the model; under `data` what merge said of the data set.
        history: What train measured.
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


def read_given(
    settings: EvaluateSettings, model: Path, dataset: Path, real_only: Path | None
) -> Given:
    """Read everything that the settings and the pipeline name.

    Args:
        settings: What the user chose.
        model: A model folder.
        dataset: A data set folder.
        real_only: Folder of a model trained without synthetic rows; may be None or empty.

    Raises:
        InputError: If something is missing, malformed, not to be trusted or of another task.
    """
    task, gate = load_task(settings.task), load_gate(settings.gate)
    data = read_dataset(dataset, task.names)
    return Given(
        task=task,
        gate=gate,
        dataset=data,
        out_of_domain=read_out_of_domain(settings.out_of_domain, data, task),
        served=_classifier(model, task),
        full=_classifier(model, task, "fp32"),
        facts={**bundle.verify(model).facts, "data": asdict(data.description)},
        history=read_history(model / bundle.HISTORY),
        real_only=_classifier(real_only, task) if real_only and _has_files(real_only) else None,
        in_service=_in_service(settings.registry, task) if settings.registry else None,
    )


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _classifier(folder: Path, task: Task, precision: str = "int8") -> Classifier:
    classifier = Classifier(folder, precision=precision)
    _require_labels(f"model {folder}", classifier.labels, task)
    return classifier


def _in_service(registry: str, task: Task) -> InService | None:
    champion, generation = read_champion(registry)
    if champion is None:
        logger.info("evaluate: %s has no champion yet", registry)
        return None
    logger.info("evaluate: fetching the champion, run %s", champion.run_id)
    with TemporaryDirectory() as downloads:
        classifier = Classifier(fetch_model(champion, Path(downloads)))
    return InService(champion, generation, classifier if classifier.labels == task.names else None)


def _require_labels(thing: str, labels: Sequence[str], task: Task) -> None:
    if tuple(labels) != task.names:
        given = ", ".join(map(str, labels))
        rule = f"has the labels {given}, but the task has {', '.join(task.names)}"
        raise InputError(thing, rule, "Set task to the one that model and data set were made for")
