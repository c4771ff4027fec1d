"""Writes the InferenceService to a file."""

import logging
from pathlib import Path

import yaml

from components import storage
from components.deploy.inference_service import Manifest

MANIFEST = "inference_service.yaml"

_log = logging.getLogger(__name__)


def render(service: Manifest, output: Path) -> None:
    """Write an InferenceService to `inference_service.yaml` in a folder, whole or not at all."""
    with storage.staged(output / MANIFEST) as draft:
        draft.write_text(yaml.safe_dump(service, sort_keys=False), encoding="utf-8")
    _log.info("deploy: rendered InferenceService %s", service["metadata"]["name"])
