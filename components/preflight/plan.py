"""The checks of a run: those of what it will use, and no others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from components.api_server import POD
from components.artifacts.image_repository import ImageRepository
from components.artifacts.registry import require_signed
from components.artifacts.task import load_task
from components.deploy.cluster.api import Cluster
from components.deploy.cluster.connection import connect, require_rights
from components.deploy.cluster.modes import mode_for, require_autoscaler
from components.deploy.inference_service import require_downloadable
from components.deploy.settings import DeploySettings
from components.evaluate.gate import load_gate
from components.evaluate.settings import SAMPLE, EvaluateSettings
from components.generate.engines import may_have_key
from components.generate.focus import read_focus
from components.generate.letters import require_letters
from components.generate.settings import CLASSIFIERS, ENCODER, SAME, GenerateSettings
from components.generate.style import load_style
from components.merge.settings import MergeSettings
from components.options import StepSettings, option_types, settings_of
from components.preflight import cluster_checks, sources, stores
from components.preflight.checks import Check
from components.preflight.settings import Place
from components.train.distillation.texts import read_unlabelled
from components.train.settings import TrainSettings

Parameters = Mapping[str, Any]
"""Values of the pipeline's parameters by name; a step's default holds for one that is missing."""

_ONE_EACH = (MergeSettings, TrainSettings, EvaluateSettings, DeploySettings)
_SPREAD = {"vllm_tensor_parallel", "vllm_pipeline_parallel"}
OPTION_TYPES = option_types(GenerateSettings, *_ONE_EACH)
"""Type of every option of a step, by the name that sets it."""


def checks_of(place: Place, parameters: Parameters) -> list[Check]:
    """All checks of a run.

    Args:
        place: Where the run happens.
        parameters: A value for every parameter of the pipeline.
    """
    return [
        *choices(parameters),
        *_sources(place, parameters),
        *_stores(place, parameters),
        *_signatures(parameters),
        *_cluster(place, parameters),
    ]


def choices(parameters: Parameters) -> Iterator[Check]:
    """Checks of what was chosen: the settings of every step, and the files that they name."""
    task, style = parameters.get("task", "emotion"), parameters.get("generate_style", "plain")
    gate = parameters.get("evaluate_gate", EvaluateSettings.gate)
    yield Check(f"task {task}", partial(load_task, task))
    yield Check(f"style {style}", partial(load_style, style))
    yield Check(f"gate {gate}", partial(load_gate, gate))
    if judge := _option(parameters, "generate_options", "judge"):
        yield Check(f"labels for judge {judge}", lambda: require_letters(judge, load_task(task)))
        yield Check(f"style for judge {judge}", lambda: load_style(style).require_judge(judge))
    for model in parameters.get("generate_models") or [""]:
        chosen = {**parameters, "generate_model": model}
        look = partial(settings_of, GenerateSettings, **chosen)
        yield Check("settings of generate", look)
    for kind in _ONE_EACH:
        yield Check(f"settings of {kind.STEP}", partial(settings_of, kind, **parameters))


def _sources(place: Place, parameters: Parameters) -> Iterator[Check]:
    dataset = parameters.get("merge_dataset", MergeSettings.dataset)
    yield _with(MergeSettings, parameters, f"data set {dataset}", sources.require_dataset)
    if feedback := _option(parameters, "merge_options", "feedback"):
        yield _with(MergeSettings, parameters, f"feedback {feedback}", sources.require_feedback)
    encoder = parameters.get("train_base_model", TrainSettings.base_model)
    yield _with(TrainSettings, parameters, f"encoder {encoder}", sources.require_encoder)
    models = parameters.get("generate_models") or []
    # One that is not text is refused with the settings.
    for model in (each for each in models if isinstance(each, str)):
        # The pin of a model is long, and not part of its name.
        name = model.partition("@")[0]
        yield Check(f"LLM {name}", partial(sources.require_llm, model, place.llm_api_key))
        if place.is_pod and _SPREAD & parameters.get("generate_options", {}).keys():
            yield _with(
                GenerateSettings,
                {**parameters, "generate_model": model},
                f"GPUs for {name}",
                lambda settings: sources.require_enough_gpus(settings, place.gpu),
            )
    yield from _second_opinions(place, parameters, models)
    if texts := _option(parameters, "train_options", "unlabelled_texts"):
        yield _with(TrainSettings, parameters, f"unlabelled_texts {texts}", read_unlabelled)
    other = _option(parameters, "evaluate_options", "out_of_domain")
    if other not in {"", SAMPLE}:
        yield Check(f"out_of_domain {other}", partial(sources.require_there, other))


def _second_opinions(
    place: Place, parameters: Parameters, models: Sequence[str]
) -> Iterator[Check]:
    """Checks of the judge, and of what says where a classifier is weak."""
    if encoder := _option(parameters, "merge_options", "encoder"):
        look = partial(sources.require_sentence_encoder, encoder)
        yield Check(f"sentence encoder {encoder.partition('@')[0]}", look)
    judge = _option(parameters, "generate_options", "judge")
    if judge not in {"", SAME, *CLASSIFIERS}:
        yield Check(f"judge {judge}", partial(_require_judge, judge, models, place.llm_api_key))
    if judge == ENCODER:
        yield _with(
            GenerateSettings,
            {**parameters, "generate_model": next(iter(models), "")},
            f"judge {judge}",
            lambda settings: settings.require_encoder(encoder),
        )
    task = parameters.get("task", "emotion")
    if focus := _option(parameters, "generate_options", "focus"):
        yield Check(f"focus {focus}", lambda: read_focus(focus, load_task(task)))


def _require_judge(judge: str, models: Sequence[str], api_key: str) -> None:
    is_shared = all(may_have_key(judge, writer) for writer in models)
    sources.require_llm(judge, api_key if is_shared else "")


def _stores(place: Place, parameters: Parameters) -> Iterator[Check]:
    if registry := parameters.get("deploy_registry"):
        yield _with(
            EvaluateSettings,
            parameters,
            f"registry {registry}",
            lambda settings: stores.require_registry(settings.registry, place.run_id),
        )
    for group, option in (("generate_options", "ledger"), ("train_options", "checkpoint_uri")):
        if folder := _option(parameters, group, option):
            look = partial(stores.require_writable, folder, place.run_id)
            yield Check(f"{option} {folder}", look)
    if images := _option(parameters, "deploy_options", "model_images"):
        yield _with(
            DeploySettings,
            parameters,
            f"images at {images}",
            lambda settings: ImageRepository(settings.model_images).require_pushable(),
        )
    if url := _option(parameters, "deploy_options", "model_registry"):
        yield _with(
            DeploySettings,
            parameters,
            f"model registry {url}",
            lambda settings: stores.require_model_registry(
                settings.model_registry, place.model_registry_token
            ),
        )


def _signatures(parameters: Parameters) -> Iterator[Check]:
    if _option(parameters, "deploy_options", "signing_key"):
        yield _with(DeploySettings, parameters, "signing key", lambda settings: settings.trust)
    if _option(parameters, "evaluate_options", "public_key"):
        yield _with(
            EvaluateSettings,
            parameters,
            "public key",
            lambda settings: settings.trust.require_usable(),
        )
    demands = ("public_key", "signer_identity")
    is_demanded = any(_option(parameters, "evaluate_options", each) for each in demands)
    if is_demanded and (registry := parameters.get("deploy_registry")):
        yield Check("signature of the champion", partial(require_signed, registry))


def _cluster(place: Place, parameters: Parameters) -> Iterator[Check]:
    if parameters.get("deploy_target") == "kserve":

        def deployed_to(settings: DeploySettings) -> Cluster:
            return connect(settings.namespace)

        yield _with(
            DeploySettings,
            parameters,
            "KServe",
            lambda settings: cluster_checks.require_kserve(deployed_to(settings)),
        )
        yield _with(
            DeploySettings,
            parameters,
            "KServe's mode and autoscaler",
            lambda settings: _require_scalable(deployed_to(settings), settings),
        )
        yield _with(
            DeploySettings,
            parameters,
            "rights to deploy",
            lambda settings: require_rights(deployed_to(settings), settings.service_name),
        )
        yield _with(
            DeploySettings, parameters, "image of the predictor", cluster_checks.require_digest
        )
        if _option(parameters, "deploy_options", "model_images"):
            yield _with(
                DeploySettings,
                parameters,
                "image volumes",
                lambda settings: cluster_checks.require_image_volumes(deployed_to(settings)),
            )
        elif registry := parameters.get("deploy_registry"):
            yield Check(f"KServe's way to {registry}", partial(require_downloadable, registry))
    names = ("train_nodes", "train_search_parallel")
    if any(parameters.get(each, 1) != 1 for each in names):
        # The steps run as the pod's own account, of which the deployer's token is none.
        account = partial(connect, deployer=POD) if place.is_pod else None
        look_at = partial(cluster_checks.require_training_pods, account=account)
        yield _with(TrainSettings, parameters, "pods to train in", look_at)
    if place.is_pod and place.gpu.resource:
        look = partial(cluster_checks.require_gpu_node, gpu=place.gpu)
        yield Check("nodes with a GPU", lambda: look(connect()))


def _require_scalable(cluster: Cluster, settings: DeploySettings) -> None:
    require_autoscaler(cluster, replace(settings, mode=mode_for(cluster, settings)))


def _with(
    kind: type[StepSettings], parameters: Parameters, what: str, look: Callable[[Any], object]
) -> Check:
    """A check of a step's settings; settings that the step refuses are a problem of their own."""
    return Check(what, lambda: look(settings_of(kind, **parameters)))


def _option(parameters: Parameters, group: str, name: str) -> str:
    """An option that is text; one that is not is refused with the settings."""
    value = parameters.get(group, {}).get(name, "")
    return value if isinstance(value, str) else ""
