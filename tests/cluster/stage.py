"""A namespace of the API server in which a test deploys, and the models it deploys."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from kubernetes import client

from components.artifacts.model import bundle
from components.artifacts.task import load_task
from components.deploy.cluster.api import LEASES, SERVICES, Cluster
from components.deploy.cluster.rollout import Patience
from components.deploy.inference_service import FACT, KNATIVE, Manifest, inference_service
from components.deploy.kserve import bring_into_service, roll_back
from components.deploy.settings import DeploySettings
from components.deploy.smoke_test import smoke_test_of
from tests.cluster.api_server import ApiServer
from tests.fakes.kserve_controller import KServeController
from tests.fakes.kserve_pods import Play
from tests.waiting import wait_for

SMOKE_TEST = smoke_test_of("emotion", load_task("emotion"))
# A busy machine may be slow, and no test here is about speed.
SETTINGS = DeploySettings(
    target="kserve",
    mode=KNATIVE,
    ready_seconds=120,
    endpoint_seconds=10,
    max_latency_ms=10_000,
)
PATIENCE = Patience(poll_seconds=0.2)


@dataclass(frozen=True)
class Model:
    """A model folder, where a cluster would find it, and a predictor that serves it."""

    folder: Path
    url: str

    @property
    def sha256(self) -> str:
        return bundle.verify(self.folder).sha256

    @property
    def uri(self) -> str:
        return f"gs://models/{self.sha256:.12}"


@dataclass
class Stage:
    """A namespace in which a test deploys, and the test's view of it."""

    server: ApiServer
    namespace: str
    kubeconfig: Path
    cluster: Cluster
    controller: KServeController
    models: Mapping[str, Model]
    settings: DeploySettings = SETTINGS
    patience: Patience = PATIENCE
    finished: list[str] = field(default_factory=list)

    def play(self, name: str, **how: Any) -> None:
        """Script what happens to a model."""
        model = self.models[name]
        self.controller.plays[model.uri] = Play(url=model.url, **how)

    def manifest(self, name: str, mode: str = "") -> Manifest:
        """The service that serves a model."""
        model = self.models[name]
        known = {"model-sha256": model.sha256, "model-uri": model.uri, "run": name}
        known |= {"accuracy": "0.9000", "macro_f1": "0.8000", "gate": "passed"}
        notes = {FACT.format(key): value for key, value in known.items()}
        settings = replace(self.settings, mode=mode or self.settings.mode)
        service = inference_service("emotion", model.uri, "image:1", notes, settings.mode)
        return settings.scaling.applied_to(service, self.namespace, settings.prometheus)

    def deploy(self, name: str, finish: Callable[[], None] | None = None, holder: str = "") -> None:
        """Deploy a model as the step does."""
        bring_into_service(
            self.cluster,
            self.settings,
            self.manifest(name),
            SMOKE_TEST,
            finish or (lambda: self.finished.append(name)),
            holder or f"run-{name}",
            self.patience,
        )

    def roll_back(self) -> None:
        """Put the previous model back into service, as the shell does."""
        roll_back(self.cluster, self.settings, SMOKE_TEST, self.patience)

    def asked(self) -> list[dict[str, Any]]:
        """The deployer's requests to the API server."""
        name = f"system:serviceaccount:{self.namespace}:deployer"
        return self.server.audited(name, self.namespace)

    def service(self) -> dict[str, Any]:
        """The service in the cluster."""
        objects = client.CustomObjectsApi(self.server.api("admin"))
        group, version, plural = SERVICES
        return objects.get_namespaced_custom_object(
            group, version, self.namespace, plural, "emotion"
        )

    def wait_for_canary(self) -> None:
        """Wait until the deploy under way has applied its canary."""
        wait_for(lambda: "canaryTrafficPercent" in self.service()["spec"]["predictor"])

    def serving(self) -> str:
        """Name of the model that answers at the service's address."""
        url = self.service()["status"]["address"]["url"]
        body = {"instances": ["I can not believe it!"]}
        address = f"{url}/v1/models/emotion:predict"
        answer = httpx.post(address, json=body, timeout=30, trust_env=False).json()
        return str(answer["model_version"].partition(":")[0])

    def require(self, name: str) -> None:
        """Assert that only this model serves, and that no deploy is under way."""
        assert self.serving() == name
        service = self.service()
        assert service["metadata"]["annotations"][FACT.format("run")] == name
        assert "canaryTrafficPercent" not in service["spec"]["predictor"]
        if traffic := service["status"]["components"]["predictor"].get("traffic"):
            assert [each["percent"] for each in traffic] == [100]
        lease = self.cluster.read(LEASES, "emotion-deploy")
        assert (
            json.loads(lease["metadata"]["annotations"]["emotion-pipeline/journal"])["candidate"]
            is None
        )
