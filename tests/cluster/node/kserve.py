"""KServe's own manifests for this cluster: Standard mode, no gateway, a certificate made here."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.node.addresses import LOCAL_REGISTRY
from tests.cluster.node.certificates import Authority

VERSION = "0.20.0"
INITIALIZER = f"{LOCAL_REGISTRY}/storage-initializer:local"
_SECRET = "kserve-webhook-server-cert"  # noqa: S105 (its name)
_WEBHOOKS = "kserve-webhook-server-service"
# Controllers of other kinds, and cert-manager's.
_OTHERS = ("localmodel", "llmisvc", "llminferenceservice")
_OTHER_KINDS = ("Certificate", "DaemonSet", "Issuer")

Resource = dict[str, Any]


def manifests(source: Path, authority: Authority, image: str) -> list[Resource]:
    """Read and adapt the manifests of a release.

    Args:
        source: KServe's module.
        authority: Signs the certificate of the webhooks.
        image: The controller's.
    """
    kept = [each for each in _released(source) if not _is_other(each)]
    for each in kept:
        _ADAPT.get(each["kind"], lambda *_: None)(each, authority, image)
    return [*_before(authority), *kept]


def kinds(source: Path) -> list[Resource]:
    """Read the kinds of a release that its controller knows."""
    return [
        each
        for each in _released(source)
        if each["kind"] == "CustomResourceDefinition" and not _is_other(each)
    ]


def _released(source: Path) -> Iterator[Resource]:
    content = (source / "install" / f"v{VERSION}" / "kserve.yaml").read_text()
    # The schemas are a hundred thousand lines, for which the loader in Python takes a minute.
    return (each for each in yaml.load_all(content, yaml.CSafeLoader) if each)


def _is_other(resource: Resource) -> bool:
    name = resource["metadata"]["name"]
    if resource["kind"] == "CustomResourceDefinition":
        # The controller watches the kinds of local models; those of LLMs have one of their own.
        return name.startswith("llm")
    return resource["kind"] in _OTHER_KINDS or any(each in name for each in _OTHERS)


PROBE: Resource = {
    "apiVersion": "serving.kserve.io/v1alpha1",
    "kind": "ServingRuntime",
    "metadata": {"name": "probe", "namespace": "default"},
    "spec": {
        "containers": [{"name": "kserve-container", "image": "none"}],
        "supportedModelFormats": [{"name": "none"}],
    },
}
"""What the webhooks let through, once they can be reached."""


def _before(authority: Authority) -> Iterator[Resource]:
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kserve"}}
    names = (f"{_WEBHOOKS}.kserve.svc",)
    pair = authority.issue(names[0], names=names)
    content = {"tls.crt": pair.certificate.decode(), "tls.key": pair.key.decode()}
    metadata = {"name": _SECRET, "namespace": "kserve"}
    yield {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": content}


def _adapt_settings(resource: Resource, *_: Any) -> None:
    if resource["metadata"]["name"] != "inferenceservice-config":
        return
    content = resource["data"]

    def change(name: str, **values: Any) -> None:
        content[name] = json.dumps(json.loads(content[name]) | values)

    change("deploy", defaultDeploymentMode="Standard")
    change("ingress", disableIngressCreation=True, disableIstioVirtualHost=True)
    change("storageInitializer", image=INITIALIZER)


def _adapt_deployment(resource: Resource, _: Authority, image: str) -> None:
    pod = resource["spec"]["template"]["spec"]
    # The proxy before its metrics is another program.
    (manager,) = (each for each in pod["containers"] if each["name"] == "manager")
    pod["containers"] = [manager]
    manager["command"] = ["/kserve-manager"]
    manager["args"] = ["--metrics-addr=127.0.0.1:8080"]
    manager["image"], manager["imagePullPolicy"] = image, "Never"
    # A tenth of a CPU is little where everything runs on two.
    del manager["resources"]
    manager["readinessProbe"] |= {"initialDelaySeconds": 0, "periodSeconds": 1}


def _adapt_webhooks(resource: Resource, authority: Authority, _: str) -> None:
    for each in resource["webhooks"]:
        each["clientConfig"]["caBundle"] = base64.b64encode(authority.certificate).decode()


def _adapt_container(resource: Resource, *_: Any) -> None:
    resource["spec"]["container"]["image"] = INITIALIZER


_ADAPT = {
    "ConfigMap": _adapt_settings,
    "ClusterStorageContainer": _adapt_container,
    "Deployment": _adapt_deployment,
    "MutatingWebhookConfiguration": _adapt_webhooks,
    "ValidatingWebhookConfiguration": _adapt_webhooks,
}
