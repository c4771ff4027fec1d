"""The examples for Flux and Argo CD, with the values of a user who is not the example's."""

import re
from typing import Any

import yaml

from tests.manifests.rendering import Resource, example

_OWN = {
    "my-project": "team",
    "my-bucket": "team-bucket",
    f"sha256:{'0' * 64}": f"sha256:{'1' * 64}",
}
PLACEHOLDER = re.compile("|".join(_OWN))
"""What a user has to replace."""
FLUX = ("flux/source.yaml", "flux/overlay.yaml")
ARGO_CD = "argo-cd/application.yaml"
WITHOUT_PROMETHEUS = {
    "target": {"kind": "PodMonitor|PrometheusRule"},
    "patch": "{apiVersion: any, kind: Any, metadata: {name: any}, $patch: delete}",
}
"""Leaves out what only Prometheus' operator knows, as docs/gitops.md says."""


def filled_in(name: str) -> Resource:
    """An example with every placeholder replaced."""
    text = yaml.safe_dump(example(name))
    for placeholder, value in _OWN.items():
        text = text.replace(placeholder, value)
    return dict(yaml.safe_load(text))


def values_of(application: Resource) -> dict[str, Any]:
    """The images and patches of an Application of Argo CD, as a kustomization has them."""
    source = application["spec"]["source"]["kustomize"]
    images = []
    for each in source["images"]:
        name, _, reference = each.partition("=")
        new_name, _, digest = reference.partition("@")
        images.append({"name": name, "newName": new_name, "digest": digest})
    return {"images": images, "patches": source["patches"]}
