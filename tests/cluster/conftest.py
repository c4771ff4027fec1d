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
import yaml
from kubernetes import client

from components import bundle
from components.deploy.cluster import LEASES, SERVICES, Cluster
from components.deploy.connection import connect
from components.deploy.inference_service import FACT, Manifest, inference_service
from components.deploy.on_cluster import bring_into_service
from components.deploy.predictor_process import running_predictor
from components.deploy.settings import DeploySettings
from components.deploy.smoke import Sentence
from components.task import load_task
from tests.cluster.api_server import ApiServer, custom_resource, running_api_server
from tests.fakes.kserve_controller import KServeController
from tests.fakes.kserve_pods import Play

TOP = Path(__file__).parents[2]
ROLE = TOP / "manifests" / "base" / "deployer-role.yaml"
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
    """The API server, with KServe's kinds."""
    assert SCHEMAS.is_dir(), f"{SCHEMAS} is not there: set KSERVE_SCHEMAS to KServe's schemas"
    with running_api_server(programs, tmp_path_factory.mktemp("api-server")) as running:
        definitions = client.ApiextensionsV1Api(running.api("admin"))
        for name in ("inferenceservice.v1beta1.json", "servingruntime.v1alpha1.json"):
            definitions.create_custom_resource_definition(custom_resource(SCHEMAS / name))
        yield running


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

    def service(self) -> dict[str, Any]:
        """The service in the cluster."""
        objects = client.CustomObjectsApi(self.server.api("admin"))
        group, version, plural = SERVICES
        return objects.get_namespaced_custom_object(
            group, version, self.namespace, plural, "emotion"
        )

    def wait_for_canary(self) -> None:
        """Wait until the deploy that is under way has applied its canary."""
        for _ in range(300):
            if "canaryTrafficPercent" in self.service()["spec"]["predictor"]:
                return
            time.sleep(0.1)
        raise AssertionError("there is no canary")

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


def add_role(server: ApiServer, namespace: str, rules: list[dict[str, Any]] | None = None) -> None:
    """Give the deployer its role in a namespace, or other rules."""
    role = yaml.safe_load(ROLE.read_text())
    role["metadata"]["namespace"] = namespace
    role["rules"] = rules if rules is not None else role["rules"]
    rights = client.RbacAuthorizationV1Api(server.api("admin"))
    rights.create_namespaced_role(namespace, role)
    kind = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "deployer"}
    reference = {"apiGroup": kind["apiGroup"], "kind": "Role", "name": role["metadata"]["name"]}
    binding = {"metadata": {"name": "deployer"}, "subjects": [kind], "roleRef": reference}
    rights.create_namespaced_role_binding(namespace, binding)


@pytest.fixture
def make_stage(server: ApiServer, models: Mapping[str, Model]) -> Iterator[Callable[..., Stage]]:
    """Makes namespaces, each with a controller of its own."""
    controllers = []

    def make(rules: list[dict[str, Any]] | None = None) -> Stage:
        namespace = f"test-{uuid.uuid4().hex[:8]}"
        admin = server.api("admin")
        client.CoreV1Api(admin).create_namespace({"metadata": {"name": namespace}})
        add_role(server, namespace, rules)
        plays = {model.uri: Play(url=model.url) for model in models.values()}
        controller = KServeController(admin, namespace, plays)
        controller.start()
        controllers.append(controller)
        cluster = connect(kubeconfig=server.kubeconfig("deployer", namespace))
        return Stage(server, namespace, cluster, controller, models)

    yield make
    for controller in controllers:
        controller.stop()
        assert controller.errors == []


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    """A namespace with the deployer's role as it is shipped."""
    return make_stage()
