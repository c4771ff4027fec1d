"""Whether what a run reads can be reached: data set, encoder, LLMs, other files."""

from components import storage
from components.generate.engines import parse_model
from components.merge.settings import MergeSettings
from components.preflight.checks import NotChecked
from components.preflight.hub import require_on_hub
from components.preflight.llm_server import require_served
from components.train.settings import TrainSettings, hub_commit

_SAMPLE = "sample"


def require_dataset(settings: MergeSettings) -> None:
    """Refuse a data set that merge could not read.

    Raises:
        InputError: If it is not there, not pinned or closed to this account.
    """
    if settings.is_on_hub:
        settings.require_pinned()
        require_on_hub("dataset", settings.dataset, settings.dataset_revision)
    elif settings.dataset != _SAMPLE:
        require_there(settings.dataset)


def require_encoder(settings: TrainSettings) -> None:
    """Refuse an encoder that train could not load.

    Raises:
        InputError: If it is not there, not pinned or closed to this account.
    """
    if commit := hub_commit(settings.base_model, settings.base_model_revision):
        require_on_hub("model", settings.base_model, commit)
    else:
        require_there(settings.base_model)


def require_llm(reference: str, api_key: str) -> None:
    """Refuse an LLM that generate could not ask.

    Args:
        reference: An entry of the parameter `models`.
        api_key: Bearer token of servers that run already; may be empty.

    Raises:
        InputError: If it is not there, or its server does not have it.
    """
    model = parse_model(reference)
    if model.kind == "endpoint":
        require_served(model.location, model.revision, api_key)
    elif model.kind == "vllm" and model.revision:
        require_on_hub("model", model.location, model.revision)
    else:
        require_there(model.location)


def require_there(uri: str) -> None:
    """Refuse a path or URI behind which there is nothing; nothing is downloaded.

    Raises:
        InputError: If there is nothing, or it cannot be read.
        NotChecked: If it is in a Python package that only another step's image has.
    """
    try:
        storage.require_there(uri)
    except storage.NoPackageError as error:
        raise NotChecked(f"{uri} is not part of this step's image") from error
