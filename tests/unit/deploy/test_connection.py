"""The account that the deploy step connects as."""

import pytest
import yaml

from components.deploy.cluster.connection import connect
from components.errors import InputError


@pytest.fixture
def kubeconfig(tmp_path, monkeypatch):
    """kubectl's default: the namespace `shell`."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://cluster.example"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "shell"}}],
        "current-context": "x",
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))
    return path


@pytest.fixture
def pod(monkeypatch):
    """The environment of a pod."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "1")


def account(folder, namespace):
    folder.mkdir()
    for name in ("token", "ca.crt"):
        (folder / name).write_text(name)
    (folder / "namespace").write_text(f"{namespace}\n")
    return folder


@pytest.mark.usefixtures("kubeconfig", "pod")
def test_the_deployer_comes_before_the_pods_account_and_that_before_the_kubeconfig(tmp_path):
    nobody = tmp_path / "nobody"
    assert connect(deployer=nobody, pod=nobody).namespace == "shell"
    pod = account(tmp_path / "pod", "own")
    assert connect(deployer=nobody, pod=pod).namespace == "own"
    deployer = account(tmp_path / "deployer", "emotion")
    assert connect(deployer=deployer, pod=pod).namespace == "emotion"
    assert connect("other", deployer=deployer).namespace == "other"


@pytest.mark.usefixtures("pod")
def test_a_kubeconfig_that_is_named_comes_first(kubeconfig, tmp_path):
    deployer = account(tmp_path / "deployer", "emotion")
    assert connect(kubeconfig=kubeconfig, deployer=deployer).namespace == "shell"


@pytest.mark.usefixtures("kubeconfig", "pod")
@pytest.mark.parametrize("missing", ["token", "ca.crt", "namespace"])
def test_an_incomplete_secret_is_refused(tmp_path, missing):
    deployer = account(tmp_path / "deployer", "emotion")
    (deployer / missing).unlink()
    with pytest.raises(InputError, match=r"cannot be used: .*mounts its whole secret"):
        connect(deployer=deployer)
    (deployer / missing).write_text("")
    if missing != "namespace":
        with pytest.raises(InputError, match="empty"):
            connect(deployer=deployer)
