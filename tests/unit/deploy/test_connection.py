"""The account that the deploy step connects as."""

import base64
import shutil
import time

import pytest
import yaml
from starlette.responses import JSONResponse
from starlette.routing import Route

from components.deploy.cluster.api import LEASES
from components.deploy.cluster.connection import connect
from components.errors import ClusterError, InputError
from tests.fakes.http_server import running

LEASE = {"kind": "Lease", "metadata": {"name": "emotion"}}


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


def with_entries(path, **entries):
    """Change the entry of the cluster or the user in a kubeconfig."""
    content = yaml.safe_load(path.read_text())
    for kind, entry in entries.items():
        content[f"{kind}s"][0][kind] |= entry
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"- a", b"a: [", b"just text", b"\x00\xff", b"clusters: 3", b"users: []", b"{}"],
)
def test_a_kubeconfig_that_is_none_is_refused_in_one_line(kubeconfig, content):
    kubeconfig.write_bytes(content)
    with pytest.raises(InputError, match=r"^kubeconfig: cannot be used: .+ set KUBECONFIG") as said:
        connect(kubeconfig=kubeconfig)
    assert "\n" not in str(said.value)


def test_a_folder_and_a_missing_token_file_are_refused(kubeconfig, tmp_path):
    with pytest.raises(InputError, match=r"cannot be used: .*directory"):
        connect(kubeconfig=tmp_path)
    content = yaml.safe_load(kubeconfig.read_text())
    content["users"][0]["user"] = {"tokenFile": "/no/such/token"}
    kubeconfig.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match="/no/such/token"):
        connect(kubeconfig=kubeconfig)


def test_a_missing_server_is_not_taken_for_the_one_at_localhost(kubeconfig):
    content = yaml.safe_load(kubeconfig.read_text())
    del content["clusters"][0]["cluster"]["server"]
    kubeconfig.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=r"^kubeconfig's cluster c: names no server\. Add"):
        connect(kubeconfig=kubeconfig)


@pytest.mark.parametrize("server", [None, "", 0])
def test_an_empty_server_is_none(kubeconfig, server):
    with_entries(kubeconfig, cluster={"server": server})
    with pytest.raises(InputError, match="cluster c: names no server"):
        connect(kubeconfig=kubeconfig)


@pytest.mark.parametrize(
    "server", ["cluster.example:6443", "https://", "HTTPS://c.example", "ftp://c", "https://a b", 5]
)
def test_a_server_that_is_no_url_is_named(kubeconfig, server):
    with_entries(kubeconfig, cluster={"server": server})
    with pytest.raises(InputError, match=r"cluster c: server .* does not begin with http") as said:
        connect(kubeconfig=kubeconfig)
    assert repr(server) in str(said.value)


def with_plugin(path, command):
    plugin = {"command": str(command), "apiVersion": "client.authentication.k8s.io/v1"}
    content = yaml.safe_load(path.read_text())
    content["users"][0]["user"] = {"exec": plugin}
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("command", [["a"], 5, None])
def test_a_plugin_whose_command_is_no_text_is_refused(kubeconfig, command):
    with_entries(kubeconfig, user={"exec": {"command": command, "apiVersion": "v1"}})
    with pytest.raises(
        InputError, match=r"^kubeconfig's plugin: has the command .*Name one program"
    ):
        connect(kubeconfig=kubeconfig)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("no-such-auth-plugin", "no-such-auth-plugin: is not installed. Install it, and put it on"),
        ("/no/such/plugin", "/no/such/plugin: is not installed. Install it there"),
        ("./no-such-plugin", "./no-such-plugin: is not installed. Install it there"),
        ("bin/no-such-plugin", "bin/no-such-plugin: is not installed. Install it there"),
        ("false", "plugin false: gives no credentials. Run it in a shell"),
        (shutil.which("false"), "/false: gives no credentials. Run it in a shell"),
    ],
)
def test_a_plugin_that_gives_no_credentials_is_named(kubeconfig, command, said):
    with pytest.raises(InputError, match=said):
        connect(kubeconfig=with_plugin(kubeconfig, command))


def test_a_plugin_beside_the_kubeconfig_is_looked_for_there(kubeconfig, tmp_path):
    plugin = tmp_path / "plugin"
    plugin.write_text("#!/bin/sh\nexit 1\n")
    plugin.chmod(0o644)
    with pytest.raises(InputError, match=r"plugin \./plugin: is not a program that may be run"):
        connect(kubeconfig=with_plugin(kubeconfig, "./plugin"))
    plugin.chmod(0o755)
    with pytest.raises(InputError, match=r"plugin \./plugin: gives no credentials"):
        connect(kubeconfig=kubeconfig)


def test_the_proxy_is_that_of_the_kubeconfig_or_of_the_environment(kubeconfig, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    def proxy():
        return connect(kubeconfig=kubeconfig).api.configuration.proxy

    assert proxy() is None
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    assert proxy() == "http://proxy.example:3128"
    monkeypatch.setenv("NO_PROXY", "cluster.example")
    assert proxy() is None
    with_entries(kubeconfig, cluster={"proxy-url": "http://own.example:1"})
    assert proxy() == "http://own.example:1"
    with_entries(kubeconfig, cluster={"proxy-url": "HTTP://Own.example:1"})
    assert proxy() == "http://Own.example:1"
    with_entries(kubeconfig, cluster={"proxy-url": "socks5://own.example:1"})
    with pytest.raises(InputError, match=r"proxy socks5://own.example:1: is not one of HTTP"):
        proxy()


@pytest.mark.parametrize("named", [5, 0, True, False, ["http://own.example:1"], {}])
def test_a_proxy_that_is_no_text_is_refused(kubeconfig, named):
    with_entries(kubeconfig, cluster={"proxy-url": named})
    with pytest.raises(InputError, match=r"kubeconfig's proxy-url .*: is not a text\. Write it"):
        connect(kubeconfig=kubeconfig)


def test_an_empty_proxy_is_none(kubeconfig, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    with_entries(kubeconfig, cluster={"proxy-url": None})
    assert connect(kubeconfig=kubeconfig).api.configuration.proxy == "http://proxy.example:3128"


def test_addresses_with_masks_stand_in_no_proxy(kubeconfig, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "10.0.0.0/8")
    with_entries(kubeconfig, cluster={"server": "https://10.1.2.3:6443"})
    assert connect(kubeconfig=kubeconfig).api.configuration.proxy is None


def test_the_account_of_a_proxy_is_used_and_never_shown(kubeconfig):
    with_entries(kubeconfig, cluster={"proxy-url": "http://me:p%40ss@own.example:1"})
    configuration = connect(kubeconfig=kubeconfig).api.configuration
    expected = base64.b64encode(b"me:p@ss").decode()
    assert configuration.proxy_headers == {"proxy-authorization": f"Basic {expected}"}
    with_entries(kubeconfig, cluster={"proxy-url": "socks5://me:secret@own.example:1"})
    with pytest.raises(InputError) as refused:
        connect(kubeconfig=kubeconfig)
    assert "secret" not in str(refused.value)


def test_a_context_needs_no_user(kubeconfig):
    content = yaml.safe_load(kubeconfig.read_text())
    del content["users"]
    del content["contexts"][0]["context"]["user"]
    kubeconfig.write_text(yaml.safe_dump(content))
    assert connect(kubeconfig=kubeconfig).namespace == "shell"


def test_requests_go_through_the_proxy(kubeconfig):
    asked = []

    def answer(request):
        asked.append(str(request.url))
        return JSONResponse(LEASE)

    with running([Route("/{path:path}", answer)]) as proxy:
        entry = {"server": "http://cluster.example", "proxy-url": proxy}
        with_entries(kubeconfig, cluster=entry)
        assert connect(kubeconfig=kubeconfig).read(LEASES, "emotion") == LEASE
    assert "/namespaces/shell/leases/emotion" in asked[0]


@pytest.mark.parametrize("name", ["a?x=1", "a/b", "../../pods", "MyNS", "my ns", "a" * 64, "-a"])
def test_what_is_no_name_of_a_namespace_gets_into_no_path(kubeconfig, name):
    with pytest.raises(InputError, match=r"namespace=.*: must be up to 63 of"):
        connect(name, kubeconfig=kubeconfig)


def test_a_token_may_end_in_a_line_break_and_hold_none(kubeconfig):
    asked = []

    def answer(request):
        asked.append(request.headers["authorization"])
        return JSONResponse(LEASE)

    with running([Route("/{path:path}", answer)]) as url:
        with_entries(kubeconfig, cluster={"server": url}, user={"token": "secret\n"})
        connect(kubeconfig=kubeconfig).read(LEASES, "emotion")
        for token in ("se\ncret", "secr\u00e9t", "se\u20accret"):
            with_entries(kubeconfig, user={"token": token})
            with pytest.raises(
                InputError, match="token of the account: holds a line break"
            ) as said:
                connect(kubeconfig=kubeconfig).read(LEASES, "emotion")
            assert token not in str(said.value)
    assert asked == ["Bearer secret"]


def test_an_api_server_without_tls_is_reported_at_once(kubeconfig):
    begun = time.monotonic()
    with running([]) as url:
        with_entries(kubeconfig, cluster={"server": url.replace("http:", "https:")})
        with pytest.raises(ClusterError, match=r"the API server does not answer: \[SSL"):
            connect(kubeconfig=kubeconfig).read(LEASES, "emotion")
    assert time.monotonic() - begun < 15


@pytest.mark.parametrize("server", ["http://127.0.0.1:9", "https://no.such.host.invalid"])
def test_an_api_server_that_has_never_answered_is_reported_at_once(kubeconfig, server):
    with_entries(kubeconfig, cluster={"server": server})
    begun = time.monotonic()
    with pytest.raises(ClusterError, match=r"the API server does not answer: .*Check that"):
        connect(kubeconfig=kubeconfig).read(LEASES, "emotion")
    assert time.monotonic() - begun < 15
