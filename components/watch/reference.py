"""The model that is watched, and the profile that its traffic is compared with."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import TypeAdapter, ValidationError

from components import storage
from components.artifacts.evaluation.profile import Profile
from components.artifacts.model import bundle
from components.artifacts.model.classifier import Classifier
from components.artifacts.registry import (
    Champion,
    evaluation_of_champion,
    fetch_model,
    require_champion,
)
from components.errors import InputError
from components.watch.settings import WatchSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Watched:
    """The model in service, and what it saw at its evaluation.

    Args:
        classifier: The model.
        reference: Profile to compare with.
        champion: The registry's record of it; None without a registry.
    """

    classifier: Classifier
    reference: Profile
    champion: Champion | None = None


def read_watched(settings: WatchSettings) -> Watched:
    """Read the model and the reference that the settings name.

    Raises:
        InputError: If one is missing, malformed or of another model, or the registry has no
            champion.
        WorkError: If a store does not answer.
    """
    champion = require_champion(settings.registry) if settings.registry else None
    with TemporaryDirectory() as downloads:
        if settings.model or champion is None:
            model = bundle.verify(storage.fetch(settings.model, Path(downloads)))
        else:
            _log.info("watch: fetching the model in service, run %s", champion.run_id)
            model = fetch_model(champion, Path(downloads))
        classifier = Classifier(model)
    if settings.reference:
        text, name = storage.read_text(settings.reference), f"reference {settings.reference}"
    else:
        evaluation = evaluation_of_champion(settings.registry)
        text = evaluation.to_json() if evaluation else "{}"
        name = f"evaluation of the champion of {settings.registry}"
    return Watched(classifier, _profile(text, name, classifier), champion)


def _profile(text: str, name: str, classifier: Classifier) -> Profile:
    fix = "Name the evaluation of this model, or evaluate it again"
    try:
        content = json.loads(text)
        given, version = content.get("profile"), content.get("model_version")
        profile = TypeAdapter(Profile).validate_python(given) if given else None
    except (ValueError, AttributeError, RecursionError, ValidationError) as error:
        raise InputError(name, "is neither an evaluation nor what a watch found", fix) from error
    if profile is None:
        raise InputError(name, "holds no profile to compare with", fix)
    if version != classifier.version or tuple(profile.labels) != classifier.labels:
        raise InputError(name, f"is of another model ({version})", fix)
    return profile
