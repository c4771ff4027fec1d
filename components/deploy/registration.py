"""What the model registry is told of a release, and when.

| when | in the registry |
| --- | --- |
| before anything is deployed | the model, named as its service; the version, named as its run and \
archived; its artifact, pending; the service in its namespace |
| once the release is complete | version and artifact are live; the service has the version |
| after a rollback | the service has the earlier version |

The ids go into the service's labels, and labels cannot change while it is in service, so a version
is known to the registry before it serves. A release that fails or is cut off leaves it archived.

KServe's users and Hub's own controller spell the labels in two ways. The controller, given no id of
a service, would read the ServingRuntime of its predictor, which a custom container has not, and
would never let go of the service again. With the id it only keeps the address up to date.

Sources: pkg/inferenceservice-controller in kubeflow/hub; proposals/12020-model-registry-integration
in kubeflow/pipelines for the source of a model.
"""

import logging
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from components.artifacts.remarks import remark
from components.deploy.inference_service import Manifest
from components.deploy.model_registry import (
    ARTIFACT,
    ENVIRONMENT,
    MODEL,
    SERVICE,
    VERSION,
    Content,
    ModelRegistry,
)
from components.errors import StepError

_PLAIN = "modelregistry/{}"
_HUB = "modelregistry.kubeflow.org/{}"
_MODEL_ID, _VERSION_ID = "registered-model-id", "model-version-id"
_SERVICE_ID = "inference-service-id"
# The default of KFP's own proposal.
_AUTHOR = "Kubeflow Pipelines"
_KIND = {"artifactType": "model-artifact"}
# As manifests/base/serving-runtime.yaml offers it.
_FORMAT = {"modelFormatName": "emotion-pipeline", "modelFormatVersion": "1"}
_HEADER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_Answer = TypeVar("_Answer")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """A model as the registry knows it.

    Args:
        service_name: Name of its service.
        purpose: What models of this name do.
        run_id: The run that created it.
        run_name: Name of the run, for people.
        run_namespace: Namespace of the run; empty outside of a cluster.
        model_uri: Where it is.
        description: What this one is.
        properties: Its figures, and what else is worth knowing, by name.
    """

    service_name: str
    purpose: str
    run_id: str
    run_name: str
    run_namespace: str
    model_uri: str
    description: str
    properties: Mapping[str, float | str]


@dataclass(frozen=True)
class Registered:
    """Ids of a model in the registry, and the registry's URL; empty if it is not there."""

    model: str = ""
    version: str = ""
    artifact: str = ""
    service: str = ""
    registry: str = ""

    def labels(self) -> dict[str, str]:
        """Build the labels of an InferenceService that serves it."""
        ids = {_MODEL_ID: self.model, _VERSION_ID: self.version}
        if not self.version:
            return {}
        labels = {_PLAIN.format(name): known for name, known in ids.items()}
        if self.service:
            ids[_SERVICE_ID] = self.service
            labels |= {_HUB.format(name): known for name, known in ids.items()}
        return labels

    def annotations(self) -> dict[str, str]:
        """Build the annotations of an InferenceService that serves it."""
        return {_HUB.format("url"): self.registry} if self.service else {}


class Registrar:
    """Tells a model registry of releases; what it cannot tell is remarked, and nothing fails.

    Args:
        registry: The registry; None for none.
        namespace: Namespace of the services; empty if it is not known.
    """

    def __init__(self, registry: ModelRegistry | None, namespace: str) -> None:
        self._registry, self._namespace = registry, namespace

    def register(self, entry: Entry) -> Registered:
        """Enter a model that is about to be released; one that is there already stays as it is."""
        return self._told(lambda registry: self._enter(registry, entry)) or Registered()

    def release(self, registered: Registered, *, serves: bool) -> None:
        """Say that a model has been released.

        Args:
            registered: Its ids.
            serves: True if its service serves it now.
        """
        if registered.version:
            self._told(lambda registry: _release(registry, registered, serves=serves))

    def serve_again(self, service: Manifest) -> None:
        """Say that an earlier model is in service again; of one it does not know, that none is."""
        name = service["metadata"]["name"]
        version = service["metadata"].get("labels", {}).get(_PLAIN.format(_VERSION_ID), "")
        self._told(lambda registry: self._serve_again(registry, name, version))

    def _serve_again(self, registry: ModelRegistry, name: str, version: str) -> None:
        environment = registry.find(ENVIRONMENT, self._namespace)
        if environment and (known := registry.find(SERVICE, name, environment)):
            _serve(registry, known, version)

    def _told(self, tell: Callable[[ModelRegistry], _Answer]) -> _Answer | None:
        if self._registry is None:
            return None
        try:
            return tell(self._registry)
        except StepError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 (whatever it is, the release goes on)
            reason = f"{type(error).__name__}: {error}"
        _log.warning(remark("deploy", f"the model registry was not told of the release: {reason}"))
        return None

    def _enter(self, registry: ModelRegistry, entry: Entry) -> Registered:
        name = entry.service_name
        model = registry.ensure(MODEL, name, {"description": entry.purpose, "owner": _AUTHOR})
        version = registry.ensure(VERSION, entry.run_id, _version(entry, model), parent=model)
        inside = f"{VERSION.many}/{version}/artifacts"
        artifact = registry.ensure(ARTIFACT, name, _artifact(entry), parent=version, into=inside)
        service = self._service(registry, name, model) if self._namespace else ""
        _log.info("deploy: the model registry has version %s as %s", entry.run_id, version)
        return Registered(model, version, artifact, service, registry.url)

    def _service(self, registry: ModelRegistry, name: str, model: str) -> str:
        environment = registry.ensure(ENVIRONMENT, self._namespace, {})
        content = {
            "registeredModelId": model,
            "servingEnvironmentId": environment,
            "desiredState": "UNDEPLOYED",
            # Hub's controller reads it before it has written it (kubeflow/hub#3251).
            "customProperties": {"url": _property("")},
        }
        return registry.ensure(SERVICE, name, content, parent=environment)


def registrar_of(url: str, namespace: str, token: str = "") -> Registrar:
    """Make what tells a model registry of releases.

    Args:
        url: Address of the registry; empty for none.
        namespace: Namespace of the services; empty if it is not known.
        token: Bearer token; empty for that of this pod's account.
    """
    return Registrar(ModelRegistry(url, token) if url else None, namespace)


def opening_of(card: str) -> str:
    """Take the first paragraph of a model card, which says what the model is; empty if none does.

    Args:
        card: Markdown with the header of the Hugging Face Hub, or none.
    """
    body = _HEADER.sub("", card)
    paragraphs = (" ".join(each.split()) for each in re.split(r"\n\s*\n", body))
    return next((each for each in paragraphs if each and not each.startswith("#")), "")


def _release(registry: ModelRegistry, registered: Registered, *, serves: bool) -> None:
    registry.update(ARTIFACT, registered.artifact, {**_KIND, "state": "LIVE"})
    registry.update(VERSION, registered.version, {"state": "LIVE"})
    if serves:
        _serve(registry, registered.service, registered.version)
    _log.info("deploy: the model registry knows of the release")


def _serve(registry: ModelRegistry, service: str, version: str) -> None:
    state = {"desiredState": "DEPLOYED" if version else "UNDEPLOYED"}
    known = {"modelVersionId": version} if version else {}
    registry.update(SERVICE, service, {**state, **known})


def _version(entry: Entry, model: str) -> Content:
    properties = {
        name: _property(value)
        for name, value in entry.properties.items()
        if isinstance(value, str) or math.isfinite(value)
    }
    return {
        "registeredModelId": model,
        "state": "ARCHIVED",
        "author": _AUTHOR,
        "description": entry.description,
        "customProperties": properties,
    }


def _artifact(entry: Entry) -> Content:
    source = {
        "modelSourceKind": "kfp",
        "modelSourceClass": "pipelinerun",
        "modelSourceGroup": entry.run_namespace,
        "modelSourceId": entry.run_id,
        "modelSourceName": entry.run_name,
    }
    known = {name: value for name, value in source.items() if value}
    return {**_KIND, **_FORMAT, **known, "uri": entry.model_uri, "state": "PENDING"}


def _property(value: float | str) -> dict[str, Any]:
    if isinstance(value, str):
        return {"metadataType": "MetadataStringValue", "string_value": value}
    return {"metadataType": "MetadataDoubleValue", "double_value": value}
