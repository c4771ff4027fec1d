"""The model that scores: pinned by the plan, so that all shards and later tries use the same."""

import logging
from dataclasses import dataclass
from pathlib import Path

from components.artifacts.model import bundle
from components.artifacts.publishing import fetch
from components.artifacts.registry import fetch_model, require_champion
from components.artifacts.signatures import Trust, verify
from components.errors import InputError
from components.predict.settings import PredictSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelIdentity:
    """Which model scores.

    Args:
        uri: Its folder.
        sha256: Hash of its manifest, which identifies it.
        run_id: The run that created it, if a registry says so.
        task: Name of its task.
        labels: Its labels, in the order of their ids.
    """

    uri: str
    sha256: str
    run_id: str
    task: str
    labels: tuple[str, ...]


def choose(settings: PredictSettings, downloads: Path) -> ModelIdentity:
    """Fetch and verify the model that the settings name.

    Args:
        settings: The user's choices.
        downloads: A folder for downloads.

    Raises:
        InputError: If there is none, or it does not verify or is not signed as it must be.
        WorkError: If a store does not answer.
    """
    if settings.model:
        uri, run_id = settings.model, ""
        sealed = fetch(uri, downloads)
        verify(sealed.folder, settings.trust)
    else:
        champion = require_champion(settings.registry)
        uri, run_id = champion.model_uri, champion.run_id
        _log.info("predict: fetching the model in service, run %s", run_id)
        sealed = fetch_model(champion, downloads, settings.trust)
    labels = bundle.read_labels(sealed.folder)
    return ModelIdentity(uri, sealed.sha256, run_id, labels.task, labels.names)


def refetch(model: ModelIdentity, trust: Trust, downloads: Path) -> bundle.SealedModel:
    """Fetch the model of a plan.

    Args:
        model: What the plan says.
        trust: Who must have signed it.
        downloads: A folder for downloads.

    Raises:
        InputError: If it is not there any more, is another one, or is not signed as it must be.
    """
    sealed = fetch(model.uri, downloads)
    if sealed.sha256 != model.sha256:
        rule = f"has the manifest {sealed.sha256}, but the plan is for {model.sha256}"
        raise InputError(model.uri, rule, "Restore that model, or plan anew")
    verify(sealed.folder, trust)
    return sealed
