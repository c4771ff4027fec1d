"""One API server for all tests, a namespace with the deployer's role for each, three models."""

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from kubernetes import client

from components.artifacts.model import bundle
from components.artifacts.task import load_task
from components.deploy.cluster import rollout
from components.deploy.cluster.api import LEASES, SERVICES, Cluster
from components.deploy.cluster.connection import connect
from components.deploy.inference_service import FACT, Manifest, inference_service
from components.deploy.settings import DeploySettings
from components.deploy.smoke import Sentence
from components.deploy.targets.kserve import bring_into_service
from components.deploy.targets.local import running_predictor
from components.train.fine_tuning import fine_tune
from components.train.settings import TrainSettings
from tests.cluster import overlays
from tests.cluster.api_server import ApiServer, custom_resource, running_api_server
from tests.fakes.kserve_controller import KServeController
from tests.fakes.kserve_pods import Play

TOP = Path(__file__).parents[2]
SCHEMAS = Path(os.environ.get("KSERVE_SCHEMAS", TOP.parent / "shared" / "schemas" / "kserve"))
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "emotion-pipeline"
TASK = load_task("emotion")
SENTENCES = [Sentence(text, label.name) for label in TASK.labels for text in label.examples]
# A busy machine may be slow, and no test here is about speed.
SETTINGS = DeploySettings(
    deploy_target="kserve", ready_seconds=60, endpoint_seconds=10, max_latency_ms=10_000
)


@pytest.fixture(scope="session")
def programs() -> Path:
    """kube-apiserver and etcd: where KUBEBUILDER_ASSETS says, or built once."""
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        return Path(assets)
    folder = CACHE / "api-server"
    if not (folder / "bin" / "kube-apiserver").is_file():
        script = Path(__file__).parent / "build_api_server.sh"
        subprocess.run([script, folder], check=True)
    return folder / "bin"


@pytest.fixture(scope="session")
def server(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """The API server, with KServe's kinds and an overlay applied."""
    assert SCHEMAS.is_dir(), f"{SCHEMAS} is not there: set KSERVE_SCHEMAS to KServe's schemas"
    with running_api_server(programs, tmp_path_factory.mktemp("api-server")) as running:
        definitions = client.ApiextensionsV1Api(running.api("admin"))
        for path in SCHEMAS.glob("*.json"):
            definitions.create_custom_resource_definition(custom_resource(path))
        wait_for(lambda: overlays.apply(running, "gke") == overlays.UNKNOWN)
        yield running


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something holds, 30 seconds at most."""
    for _ in range(300):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to hold")


@pytest.fixture(autouse=True)
def poll_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here is about how often a rollout is looked at."""
    monkeypatch.setattr(rollout, "_POLL_SECONDS", 0.2)


@pytest.fixture(scope="session")
def model_folder(dataset_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is better than chance, and no more."""
    folder = tmp_path_factory.mktemp("trained")
    settings = TrainSettings(epochs=1, min_int8_agreement=0)
    fine_tune(settings, dataset_folder, folder / "model", folder / "checkpoints")
    return folder / "model"


@dataclass(frozen=True)
class Model:
    """A model folder, where a cluster would find it, and a predictor that serves it."""

    folder: Path
    url: str

    @property
    def version(self) -> str:
        return bundle.verify(self.folder).sha256

    @property
    def uri(self) -> str:
        return f"gs://models/{self.version:.12}"


@pytest.fixture(scope="session")
def models(
    model_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Model]]:
    """Two good models, and one that gives each sentence a wrong label, served by processes."""
    folder = tmp_path_factory.mktemp("models")
    folders = {"old": model_folder}
    for name in ("new", "bad"):
        folders[name] = shutil.copytree(model_folder, folder / name)
    content = json.loads((folders["bad"] / bundle.LABELS).read_text())
    content["names"] = content["names"][1:] + content["names"][:1]
    (folders["bad"] / bundle.LABELS).write_text(json.dumps(content))
    for name in ("new", "bad"):
        bundle.write_manifest(folders[name], {"name": name})
    with ExitStack() as processes:
        yield {
            name: Model(each, processes.enter_context(running_predictor(each, "emotion", log)))
            for name, each in folders.items()
            for log in [folder / f"{name}.log"]
        }


@dataclass
class Stage:
    """A namespace in which a test deploys, and what it may look at."""

    server: ApiServer
    namespace: str
    kubeconfig: Path
    cluster: Cluster
    controller: KServeController
    models: Mapping[str, Model]
    settings: DeploySettings = SETTINGS
    finished: list[str] = field(default_factory=list)

    def play(self, name: str, **how: Any) -> None:
        """Set what happens to a model."""
        model = self.models[name]
        self.controller.plays[model.uri] = Play(url=model.url, **how)

    def manifest(self, name: str, mode: str = "") -> Manifest:
        """The service that serves a model."""
        model = self.models[name]
        known = {"model-sha256": model.version, "model-uri": model.uri, "run": name}
        known |= {"accuracy": "0.9000", "macro_f1": "0.8000", "gate": "passed"}
        notes = {FACT.format(key): value for key, value in known.items()}
        return inference_service("emotion", model.uri, "image:1", notes, mode or self.settings.mode)

    def deploy(self, name: str, finish: Callable[[], None] | None = None, holder: str = "") -> None:
        """Deploy a model as the step does."""
        bring_into_service(
            self.cluster,
            self.settings,
            self.manifest(name),
            TASK,
            SENTENCES,
            finish or (lambda: self.finished.append(name)),
            holder or f"run-{name}",
        )

    def asked(self) -> list[dict[str, Any]]:
        """What the deployer has asked of the API server."""
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
        """Wait until the deploy that is under way has applied its canary."""
        wait_for(lambda: "canaryTrafficPercent" in self.service()["spec"]["predictor"])

    def serving(self) -> str:
        """Name of the model that answers at the service's address."""
        url = self.service()["status"]["address"]["url"]
        body = {"instances": ["I can not believe it!"]}
        address = f"{url}/v1/models/emotion:predict"
        answer = httpx.post(address, json=body, timeout=30, trust_env=False).json()
        return next(
            name for name, each in self.models.items() if each.version == answer["model_version"]
        )

    def require(self, name: str) -> None:
        """The model serves, alone, and nothing is under way."""
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


@pytest.fixture
def make_stage(server: ApiServer, models: Mapping[str, Model]) -> Iterator[Callable[..., Stage]]:
    """Makes namespaces, or takes one that there is, each with a controller of its own."""
    controllers = []

    def make(rules: list[dict[str, Any]] | None = None, namespace: str = "") -> Stage:
        admin = server.api("admin")
        if not namespace:
            namespace = f"test-{uuid.uuid4().hex[:8]}"
            client.CoreV1Api(admin).create_namespace({"metadata": {"name": namespace}})
            overlays.give_deployer(server, namespace, rules)
        plays = {model.uri: Play(url=model.url) for model in models.values()}
        controller = KServeController(admin, namespace, plays)
        controller.start()
        controllers.append(controller)
        token = server.token("deployer", namespace)
        kubeconfig = server.kubeconfig("deployer", namespace, token)
        cluster = connect(kubeconfig=kubeconfig)
        return Stage(server, namespace, kubeconfig, cluster, controller, models)

    yield make
    for controller in controllers:
        controller.stop()
        assert controller.errors == []


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    """A namespace with the deployer's role as it is shipped."""
    return make_stage()
