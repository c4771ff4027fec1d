"""A model's way into the registry, and into the champion's place."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.artifacts.model import bundle
from components.artifacts.registry import Champion, ChampionMoved, read_champion, replace_champion

_log = logging.getLogger(__name__)
_METRICS = ("accuracy", "macro_f1")


def publish(registry: str, run_id: str, model: Path) -> str:
    """Copy a model folder into the registry, where it never changes.

    Args:
        registry: Path, or file://, gs:// or s3:// URI of a folder.
        run_id: The pipeline run that made the model.
        model: The model folder.

    Returns:
        The model's URI.

    Raises:
        InputError: If the model does not verify, or the run has published another one.
    """
    uri = f"{registry.rstrip('/')}/{run_id}"
    bundle.publish(model, uri)
    _log.info("deploy: published %s", uri)
    return uri


def crown(
    registry: str, run_id: str, model_uri: str, model_sha256: str, metrics: Mapping[str, Any]
) -> None:
    """Make a published model the champion, unless the champion has changed since evaluate.

    Args:
        registry: Path, or file://, gs:// or s3:// URI of a folder.
        run_id: The pipeline run that made the model.
        model_uri: What `publish` gave.
        model_sha256: Hash of the model's manifest.
        metrics: What evaluate measured, the champion that it compared with among it.

    Raises:
        ChampionMoved: If the champion is no longer the one that evaluate compared with.
    """
    scores = {name: metrics[name] for name in _METRICS}
    champion = Champion(run_id, model_uri, model_sha256, scores)
    replace_champion(registry, champion, _compared_with(metrics))
    _log.info("deploy: the champion is now run %s", run_id)


def is_champion(registry: str, run_id: str, model_sha256: str) -> bool:
    """Whether a registry names this model of this run as its champion; without one nothing does.

    Raises:
        InputError: If the registry cannot be read.
    """
    champion = read_champion(registry)[0] if registry else None
    if champion is None:
        return False
    return (champion.run_id, champion.manifest_sha256) == (run_id, model_sha256)


def require_unmoved(registry: str, run_id: str, metrics: Mapping[str, Any]) -> None:
    """Refuse, before work is spent, a model that `crown` would refuse at the end.

    Raises:
        ChampionMoved: If the champion is neither the one that evaluate compared with nor of this
            run already.
    """
    champion, generation = read_champion(registry)
    is_own = champion is not None and champion.run_id == run_id
    if generation != _compared_with(metrics) and not is_own:
        name = f"run {champion.run_id}" if champion else "nobody"
        rule = f"is {name} at generation {generation}, not the one that this was compared with"
        raise ChampionMoved(f"champion of {registry}", rule, "Evaluate the model again")


def _compared_with(metrics: Mapping[str, Any]) -> int:
    return int((metrics.get("champion") or {"generation": 0})["generation"])
