"""One API server for all tests, a namespace with the deployer's role for each, three models."""

import json
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from components.artifacts.model import bundle
from components.deploy.cluster.connection import connect
from components.deploy.local import running_predictor
from components.train.fine_tuning import fine_tune
from components.train.settings import TrainSettings
from tests.cluster import overlays
from tests.cluster.api_server import ApiServer, running_api_server
from tests.cluster.node import kserve
from tests.cluster.programs.build import API_SERVER, build, source
from tests.cluster.stage import Model, Stage
from tests.fakes.kserve_controller import KServeController
from tests.fakes.kserve_pods import Play
from tests.waiting import wait_for


@pytest.fixture(scope="session")
def programs() -> Mapping[str, Path]:
    """The programs of an API server."""
    return build(API_SERVER)


@pytest.fixture(scope="session")
def server(
    programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiServer]:
    """The API server, with KServe's kinds and an overlay applied."""
    with running_api_server(programs, tmp_path_factory.mktemp("api-server")) as running:
        definitions = client.ApiextensionsV1Api(running.api("admin"))
        for kind in kserve.kinds(source("kserve", "github.com/kserve/kserve")):
            _forget_canaries(kind)
            definitions.create_custom_resource_definition(kind)
        for kind in (_knative_service(), _pod_metrics()):
            definitions.create_custom_resource_definition(kind)
        wait_for(lambda: overlays.apply(running, "gke") == overlays.UNKNOWN)
        yield running


def _forget_canaries(kind: dict[str, Any]) -> None:
    """Take away the second predictor, which the stand-in for KServe's controller does not know."""
    for version in kind["spec"]["versions"]:
        spec = version["schema"]["openAPIV3Schema"]["properties"].get("spec", {})
        spec.get("properties", {}).pop("canary", None)


def _knative_service() -> dict[str, Any]:
    """The kind by which a deploy knows that the cluster has Knative, which the stand-in plays."""
    return _kind("serving.knative.dev", "v1", "Service", "services")


def _pod_metrics() -> dict[str, Any]:
    """The kind by which a deploy knows that metrics-server answers."""
    kind = _kind("metrics.k8s.io", "v1beta1", "PodMetrics", "pods")
    # Groups of this ending are Kubernetes' own.
    kind["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, of a test"}
    return kind


def _kind(group: str, version: str, name: str, plural: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object"}}
    return {
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": name, "plural": plural},
            "scope": "Namespaced",
            "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
        },
    }


@pytest.fixture(scope="session")
def model_folder(dataset_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is only just better than chance."""
    folder = tmp_path_factory.mktemp("trained")
    settings = TrainSettings(epochs=1, min_int8_agreement=0)
    fine_tune(settings, dataset_folder, folder / "model", folder / "checkpoints")
    return folder / "model"


@pytest.fixture(scope="session")
def models(
    model_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Model]]:
    """Two good models, and one that gives every sentence a wrong label, served by processes."""
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
            name: Model(each, processes.enter_context(_predictor(name, each, folder)))
            for name, each in folders.items()
        }


def _predictor(name: str, model: Path, folder: Path) -> AbstractContextManager[str]:
    """A predictor that is told its run, as in a cluster; the run has the model's name."""
    log = folder / f"{name}.log"
    return running_predictor(model, "emotion", log, options=["--run-id", name])


@pytest.fixture
def make_stage(server: ApiServer, models: Mapping[str, Model]) -> Iterator[Callable[..., Stage]]:
    """Creates namespaces, or takes an existing one, each with a controller of its own."""
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
    """A namespace with the deployer's role as shipped."""
    return make_stage()
