"""Which checks a run needs: those of what it will use, and no others."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from components.artifacts.task import load_task
from components.deploy.cluster.api import Cluster
from components.deploy.cluster.connection import connect
from components.deploy.requirements import require_downloadable, require_rights
from components.deploy.settings import DeploySettings
from components.evaluate.gate.rules import load_gate
from components.evaluate.settings import SAMPLE, EvaluateSettings
from components.generate.settings import GenerateSettings
from components.generate.style import load_style
from components.merge.settings import MergeSettings
from components.preflight import cluster_checks as on_cluster
from components.preflight import sources, stores
from components.preflight.checks import Check
from components.preflight.settings import Place
from components.preflight.steps import OPTIONS, settings_of
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
    other = _option(values, "evaluate_options", "out_of_domain")
    if other not in {"", SAMPLE}:
        yield Check(f"out_of_domain {other}", partial(sources.require_there, other))


def _stores(values: Values, place: Place) -> Iterator[Check]:
    if registry := values["registry"]:
        yield _with(
            EvaluateSettings,
            values,
            f"registry {registry}",
            lambda settings: stores.require_registry(settings.registry, place.run_id),
        )
    for group, option in (("generate_options", "ledger"), ("train_options", "checkpoint_uri")):
        if folder := _option(values, group, option):
            look = partial(stores.require_writable, folder, place.run_id)
            yield Check(f"{option} {folder}", look)


def _cluster(values: Values, place: Place) -> Iterator[Check]:
    if values["deploy_target"] == "kserve":
        yield Check("KServe", lambda: on_cluster.require_kserve(_deployed_to(values)))
        yield Check("rights to deploy", partial(_require_rights, values))
        yield _with(DeploySettings, values, "image of the predictor", on_cluster.require_digest)
        if registry := values["registry"]:
            yield Check(f"KServe's way to {registry}", partial(require_downloadable, registry))
    if place.is_pod and place.gpu.resource:
        yield Check("nodes with a GPU", lambda: on_cluster.require_gpu_node(connect(), place.gpu))


def _with(kind: type[Any], values: Values, what: str, look: Callable[[Any], None]) -> Check:
    """A check of a step's settings; what the step refuses is said where they are checked."""
    return Check(what, lambda: look(settings_of(kind, values)))


def _option(values: Values, group: str, name: str) -> str:
    """An option that is a text; what is none is refused with the settings."""
    value = values[group].get(name, "")
    return value if isinstance(value, str) else ""


def _deployed_to(values: Values) -> Cluster:
    return connect(settings_of(DeploySettings, values).namespace)


def _require_rights(values: Values) -> None:
    require_rights(_deployed_to(values), values["service_name"])
