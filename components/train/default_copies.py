"""The place for copies of checkpoints where the user has named none."""

import logging
from dataclasses import replace

from components import storage
from components.errors import StepError
from components.train.settings import TrainSettings

_log = logging.getLogger(__name__)


def with_copies(settings: TrainSettings, uri: str) -> TrainSettings:
    """Name a place for copies of checkpoints in object storage, if there is one and none is named.

    Args:
        settings: How to train.
        uri: A path or URI that every try of this training may write to, and nothing else does.

    Returns:
        The settings with `checkpoint_uri`; the same settings if they have one, if the URI is not
        in object storage, or if that cannot be read.
    """
    if settings.checkpoint_uri or storage.local_path(uri):
        return settings
    try:
        storage.open_store(uri).sizes()
    except StepError as error:
        # KFP's launcher may have keys that the step lacks.
        _log.warning("train: no copies of checkpoints, a killed step starts over: %s", error)
        return settings
    _log.info("train: checkpoints are copied to %s", uri)
    return replace(settings, checkpoint_uri=uri)
