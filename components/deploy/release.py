"""The release of a model: the facts about it, and its way to the champion's place."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.artifacts.evaluation import Evaluation
from components.artifacts.registry import (
    Champion,
    keep_evaluation,
    read_champion,
    replace_champion,
)
from components.errors import StepError

_log = logging.getLogger(__name__)
_SCORES = ("accuracy", "macro_f1")
_SIGNATURE = "signature-sha256"


@dataclass(frozen=True)
class TrainedModel:
    """A model that may be released, and what is known of it.

    Args:
        folder: Model folder as train writes it.
        uri: The model folder as the cluster finds it; ignored with a registry.
        evaluation: The evaluation that evaluate wrote, path or URI.
        card: The model card that evaluate wrote, path or URI; empty for none.
        run_id: The pipeline run that created it; may be empty without a registry.
        run_name: Name of the run, for people.
    """

    folder: Path
    uri: str
    evaluation: str | Path
    card: str | Path = ""
    run_id: str = ""
    run_name: str = ""


@dataclass(frozen=True)
class Release:
    """A model on its way into service.

    Args:
        registry: Path, or file://, gs:// or s3:// URI of a folder; empty for none.
        run_id: The pipeline run that created the model; may be empty without a registry.
        model_uri: The model folder, as the cluster or the next run finds it.
        model_sha256: Hash of the model's manifest.
        evaluation: The evaluation of the model.
        signature_sha256: Hash of the published signature; empty if there is none.
        image: The model's image, as a URI for KServe; empty if there is none.
    """

    registry: str
    run_id: str
    model_uri: str
    model_sha256: str
    evaluation: Evaluation
    signature_sha256: str = ""
    image: str = ""

    @property
    def served_uri(self) -> str:
        """Where pods have the model from."""
        return self.image or self.model_uri

    def facts(self) -> dict[str, str]:
        """Describe the model for the annotations of its service, by name."""
        some = {_SIGNATURE: self.signature_sha256, "model-image": self.image}
        return {
            **{name: fact for name, fact in some.items() if fact},
            **{name: f"{score:.4f}" for name, score in self.evaluation.headline.items()},
            "gate": "passed" if self.evaluation.passed else "failed",
            "model-sha256": self.model_sha256,
            "run": self.run_id or "none",
            "model-uri": self.model_uri,
        }

    def crown(self) -> None:
        """Make the published model the champion, if there is a registry.

        Raises:
            ChampionMovedError: If the champion is no longer the one of the evaluation.
        """
        if self.registry:
            self._keep_evaluation()
            champion = Champion(
                self.run_id,
                self.model_uri,
                self.model_sha256,
                self.evaluation.headline,
                self.signature_sha256,
            )
            replace_champion(self.registry, champion, self.evaluation.champion_generation)
            _log.info("deploy: the champion is now run %s", self.run_id)

    def _keep_evaluation(self) -> None:
        """Keep it for later runs that aim at the champion's mistakes; a release needs none."""
        try:
            keep_evaluation(self.registry, self.run_id, self.evaluation)
        except StepError as error:
            _log.warning("deploy: the evaluation is not kept in the registry: %s", error)


def crown_again(registry: str, facts: Mapping[str, str]) -> None:
    """Make an earlier model the champion again, if there is a registry.

    Args:
        registry: Path, or file://, gs:// or s3:// URI of a folder; empty for none.
        facts: The `Release.facts` of the model.

    Raises:
        ChampionMovedError: If another run replaces the champion at the same moment.
    """
    if registry:
        _, generation = read_champion(registry)
        scores = {name: float(facts[name]) for name in _SCORES}
        champion = Champion(
            facts["run"],
            facts["model-uri"],
            facts["model-sha256"],
            scores,
            facts.get(_SIGNATURE, ""),
        )
        replace_champion(registry, champion, generation)


def is_champion(registry: str, run_id: str, model_sha256: str) -> bool:
    """Tell whether a registry names this model of this run as its champion.

    Raises:
        StepError: If the registry cannot be read.
    """
    champion = read_champion(registry)[0] if registry else None
    if champion is None:
        return False
    return (champion.run_id, champion.manifest_sha256) == (run_id, model_sha256)
