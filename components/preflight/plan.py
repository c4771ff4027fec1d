"""Which checks a run needs: those of what it will use, and no others."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from components.deploy.settings import DeploySettings
from components.evaluate.gate_file import load_gate
from components.evaluate.settings import SAMPLE
from components.generate.settings import GenerateSettings
from components.generate.style import load_style
from components.merge.settings import MergeSettings
from components.preflight import on_cluster, sources, stores
from components.preflight.place import Place
from components.preflight.side_by_side import Check
from components.preflight.steps import OPTIONS, settings_of
from components.task import load_task
from components.train.settings import TrainSettings

Values = Mapping[str, Any]
"""A value for every parameter of the pipeline."""


def checks_of(values: Values, place: Place) -> list[Check]:
    """All checks of a run.

    Args:
        values: A value for every parameter of the pipeline.
        place: Where the run takes place.
    """
    return [
        *choices(values),
        *_sources(values, place),
        *_stores(values, place),
        *_cluster(values, place),
    ]


def choices(values: Values) -> Iterator[Check]:
    """Checks of what was chosen: the files that say it, and the settings of every step."""
    yield Check(f"task {values['task']}", partial(load_task, values["task"]))
    yield Check(f"style {values['style']}", partial(load_style, values["style"]))
    yield Check(f"gate {values['gate']}", partial(load_gate, values["gate"]))
    for model in values["models"] or [""]:
        look = partial(settings_of, GenerateSettings, values, model=model)
        yield Check("settings of generate", look)
    for kind in OPTIONS:
        if kind is not GenerateSettings:
            step = kind.__name__.removesuffix("Settings").lower()
            yield Check(f"settings of {step}", partial(settings_of, kind, values))


def _sources(values: Values, place: Place) -> Iterator[Check]:
    yield _with(MergeSettings, values, f"data set {values['dataset']}", sources.require_dataset)
    yield _with(TrainSettings, values, f"encoder {values['base_model']}", sources.require_encoder)
    for model in values["models"]:
        # The pin of a model is long, and no part of its name.
        name = model.partition("@")[0]
        yield Check(f"LLM {name}", partial(sources.require_llm, model, place.llm_api_key))
    other = values["evaluate_options"].get("out_of_domain", SAMPLE)
    if other and other != SAMPLE:
        yield Check(f"out_of_domain {other}", partial(sources.require_there, other))


def _stores(values: Values, place: Place) -> Iterator[Check]:
    if registry := values["registry"]:
        look = partial(stores.require_registry, registry, place.run_id)
        yield Check(f"registry {registry}", look)
    for group, option in (("generate_options", "ledger"), ("train_options", "checkpoint_uri")):
        if folder := values[group].get(option):
            look = partial(stores.require_writable, folder, place.run_id)
            yield Check(f"{option} {folder}", look)


def _cluster(values: Values, place: Place) -> Iterator[Check]:
    if values["deploy_target"] == "kserve":
        yield _with(DeploySettings, values, "KServe", on_cluster.require_kserve)
        yield _with(DeploySettings, values, "rights to deploy", on_cluster.require_deployer)
        yield _with(DeploySettings, values, "image of the predictor", on_cluster.require_digest)
        yield _with(DeploySettings, values, "registry for KServe", on_cluster.require_storage)
    if place.is_pod and place.gpu.resource:
        yield Check("nodes with a GPU", partial(on_cluster.require_gpu_node, place.gpu))


def _with(kind: type[Any], values: Values, what: str, look: Any) -> Check:
    """A check of a step's settings; what the step refuses is said where they are checked."""
    return Check(what, lambda: look(settings_of(kind, values)))
