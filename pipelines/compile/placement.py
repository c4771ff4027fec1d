"""Placement of a step: its title, image, node, limits, secrets and volumes."""

from kfp import dsl, kubernetes

from components.artifacts.image_repository import CREDENTIALS
from pipelines.compile.resources import BACKOFF_FACTOR, BACKOFF_SECONDS, Resources
from pipelines.compile.settings import CompileSettings, GpuNodes, Secrets
from pipelines.lock import locked

LABEL = "emotion-pipeline/step"
"""Pod label by which network policies distinguish the steps."""

TITLES = {
    "preflight": "Check the run",
    "generate": "Write sentences",
    "merge": "Add real rows",
    "train": "Train a model",
    "evaluate": "Evaluate it",
    "deploy": "Deploy it",
    "outcome": "Record the end",
    "watch": "Watch traffic",
    "predict-plan": "Look and plan",
    "predict-shard": "Label texts",
    "predict-report": "Report labels",
}
"""What KFP's UI calls each step; it shows 17 characters."""

USER = 1000
"""The user that the images run as."""

_CACHE = "/var/cache/huggingface"
_SECRETS = "/var/run/secrets"
_ASKS_LLM = ("preflight", "generate")
_READS_HUB = ("preflight", "generate", "merge", "train")
_DEPLOYS = ("preflight", "deploy")
_DOWNLOADS_MODELS = ("generate", "merge", "train")


def place(settings: CompileSettings, task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Put a step onto the node that it needs, with its title, image, label, secrets and volumes.

    Args:
        settings: Settings of the cluster.
        task: The step, just called.
    """
    step = task.component_spec.name
    needs = settings.resources[step]
    # A component's own image has no registry: `emotion-pipeline/train`.
    image = str(task.component_spec.implementation.container.image)
    if settings.images:
        image = locked(settings.images, image.rpartition("/")[2])
    task.set_display_name(TITLES[step])
    task.set_container_image(image)
    task.set_caching_options(settings.caching)
    kubernetes.add_pod_label(task, LABEL, step)
    kubernetes.set_security_context(task, run_as_user=USER, run_as_non_root=True)
    _limit(task, needs)
    if settings.retry:
        _retry(task, needs)
    if needs.gpus and settings.gpu:
        _use_gpus(task, needs.gpus, settings.gpu)
    _mount(task, step, settings)
    return task


def _limit(task: dsl.PipelineTask, needs: Resources) -> None:
    task.set_cpu_limit(needs.cpu).set_memory_limit(needs.memory)
    kubernetes.set_timeout(task, needs.seconds)
    if size := needs.shared_memory:
        kubernetes.empty_dir_mount(task, "shared-memory", "/dev/shm", "Memory", size)  # noqa: S108


def _retry(task: dsl.PipelineTask, needs: Resources) -> None:
    if needs.retries:
        task.set_retry(
            needs.retries,
            backoff_duration=f"{BACKOFF_SECONDS}s",
            backoff_factor=BACKOFF_FACTOR,
            backoff_max_duration=f"{needs.retry_window_seconds}s",
        )


def _use_gpus(task: dsl.PipelineTask, count: int, gpu: GpuNodes) -> None:
    task.set_accelerator_type(gpu.resource).set_accelerator_limit(count)
    for label, value in gpu.labels.items():
        kubernetes.add_node_selector(task, label, value)
    for toleration in gpu.tolerations:
        kubernetes.add_toleration(task, **toleration)
    if gpu.spot:
        kubernetes.add_toleration(task, gpu.spot, "Equal", "true", "NoSchedule")


def _mount(task: dsl.PipelineTask, step: str, settings: CompileSettings) -> None:
    _give_secrets(task, step, settings.secrets)
    # botocore's own names.
    if settings.object_storage.endpoint:
        task.set_env_variable("AWS_ENDPOINT_URL", settings.object_storage.endpoint)
    if settings.object_storage.region:
        task.set_env_variable("AWS_DEFAULT_REGION", settings.object_storage.region)
    if settings.cache_volume and step in _DOWNLOADS_MODELS:
        kubernetes.mount_pvc(task, settings.cache_volume, _CACHE)
        task.set_env_variable("HF_HOME", _CACHE)


def _give_secrets(task: dsl.PipelineTask, step: str, secrets: Secrets) -> None:
    variables = (
        (secrets.llm_key, ("LLM_API_KEY",), _ASKS_LLM),
        (secrets.hub_token, ("HF_TOKEN",), _READS_HUB),
        (secrets.model_registry_token, ("MODEL_REGISTRY_TOKEN",), _DEPLOYS),
        (secrets.webhook_url, ("WEBHOOK_URL",), ("outcome",)),
        (secrets.object_storage, ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), TITLES),
    )
    for name, keys, steps in variables:
        if name and step in steps:
            kubernetes.use_secret_as_env(task, name, {key: key for key in keys})
    folders = (
        (secrets.deployer_token, f"{_SECRETS}/deployer"),
        (secrets.image_registry, str(CREDENTIALS.parent)),
        (secrets.signing_key, f"{_SECRETS}/signing"),
    )
    for name, folder in folders:
        if name and step in _DEPLOYS:
            kubernetes.use_secret_as_volume(task, name, folder)
