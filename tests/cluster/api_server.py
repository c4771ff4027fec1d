"""A real Kubernetes API server with RBAC and an audit log, on loopback or in a cluster."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from kubernetes import client

from components.processes import free_port, log_tail
from tests.cluster.node.addresses import SERVICES
from tests.cluster.node.certificates import Authority

_START_SECONDS = 120
_STOP_SECONDS = 20
_GROUPS = {
    "admin": "system:masters",
    "editor": "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    "system:kube-proxy": "",
    "system:node:node": "system:nodes",
}


class Running(Protocol):
    """A program that runs."""

    def poll(self) -> int | None: ...
    def kill(self) -> None: ...
    def terminate(self) -> None: ...
    def wait(self, timeout: float) -> int: ...


@dataclass(frozen=True)
class Place:
    """Where an API server listens, and how it differs from one on loopback."""

    address: str
    port: int
    store_port: int
    peer_port: int
    flags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Host names and further addresses, for its certificate."""
    start: Callable[[Path, str, Sequence[str | Path]], Running] | None = None
    """Starts a program: folder of its log, name, command. None starts it as a child."""


def loopback() -> Place:
    """Ports that are free; no controllers, so nothing makes tokens for accounts of pods."""
    flags = ("--endpoint-reconciler-type=none", "--disable-admission-plugins=ServiceAccount")
    return Place("127.0.0.1", free_port(), free_port(), free_port(), flags)


class ApiServer:
    """kube-apiserver before an etcd of its own.

    Args:
        programs: Paths of both programs by name.
        folder: For their data and logs.
        place: Where they listen.
    """

    def __init__(self, programs: Mapping[str, Path], folder: Path, place: Place) -> None:
        self._programs, self._folder, self._place = programs, folder, place
        self.url = f"https://{place.address}:{place.port}"
        self.authority = Authority()
        self._write_files()
        self._processes: dict[str, Running] = {}

    def start(self) -> None:
        """Start what does not run, and wait until it is ready."""
        for name, arguments in {"etcd": self._etcd(), "kube-apiserver": self._server()}.items():
            process = self._processes.get(name)
            if process is None or process.poll() is not None:
                start = self._place.start or _start
                command = [self._programs[name], *arguments]
                self._processes[name] = start(self._folder, name, command)
        self._wait()

    def kill(self) -> None:
        """Kill the API server, as a node that fails would; etcd stays."""
        self._processes["kube-apiserver"].kill()
        self._processes["kube-apiserver"].wait(_STOP_SECONDS)

    def restart(self) -> None:
        """Kill the API server and start it again."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """Stop both."""
        for process in reversed(self._processes.values()):
            process.terminate()
            process.wait(_STOP_SECONDS)

    def api(self, user: str) -> client.ApiClient:
        """A client of this user."""
        configuration = client.Configuration()
        configuration.host = self.url
        configuration.ssl_ca_cert = str(self.certificate)
        configuration.api_key = {"authorization": f"Bearer {user}-token"}
        return client.ApiClient(configuration)

    def token(self, account: str, namespace: str) -> str:
        """A token of a service account, signed by the server."""
        answer = client.CoreV1Api(self.api("admin")).create_namespaced_service_account_token(
            account, namespace, {"spec": {"audiences": [], "expirationSeconds": 3600}}
        )
        return str(answer.status.token)

    def kubeconfig(self, user: str, namespace: str, token: str = "") -> Path:
        """A kubeconfig file of this user; with a token, of the account that it belongs to."""
        token = token or f"{user}-token"
        cluster = {"server": self.url, "certificate-authority": str(self.certificate)}
        context = {"cluster": "here", "user": user, "namespace": namespace}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": cluster}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": "here", "context": context}],
            "current-context": "here",
        }
        path = self._folder / f"{user.replace(':', '-')}-{namespace}.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    def audited(self, user: str, namespace: str) -> list[dict[str, Any]]:
        """The requests of a user to a namespace, as the API server has noted them."""
        lines = (self._folder / "audit.log").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        own = [event for event in events if event["user"].get("username") == user]
        return [event for event in own if event.get("objectRef", {}).get("namespace") == namespace]

    @property
    def certificate(self) -> Path:
        """The certificate of the authority that has issued the server's."""
        return self._folder / "authority.crt"

    @property
    def accounts_key(self) -> Path:
        """The key that signs the tokens of service accounts."""
        return self._folder / "accounts.key"

    def _write_files(self) -> None:
        self.certificate.write_bytes(self.authority.certificate)
        names = (self._place.address, "127.0.0.1", "localhost", *self._place.names)
        self.authority.issue("kube-apiserver", names=names).write(self._folder, "apiserver")
        tokens = [f'{user}-token,{user},{user},"{group}"' for user, group in _GROUPS.items()]
        (self._folder / "tokens.csv").write_text("\n".join(tokens) + "\n")
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        self.accounts_key.write_bytes(pem)
        policy = {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [{"level": "Metadata"}],
        }
        (self._folder / "audit.yaml").write_text(yaml.safe_dump(policy))

    def _etcd(self) -> list[str]:
        store, peer = (
            f"http://127.0.0.1:{port}" for port in (self._place.store_port, self._place.peer_port)
        )
        return [
            f"--data-dir={self._folder / 'etcd'}",
            f"--listen-client-urls={store}",
            f"--advertise-client-urls={store}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
        ]

    def _server(self) -> list[str]:
        return [
            f"--etcd-servers=http://127.0.0.1:{self._place.store_port}",
            f"--bind-address={self._place.address}",
            f"--advertise-address={self._place.address}",
            f"--secure-port={self._place.port}",
            f"--tls-cert-file={self._folder / 'apiserver.crt'}",
            f"--tls-private-key-file={self._folder / 'apiserver.key'}",
            f"--client-ca-file={self.certificate}",
            f"--service-cluster-ip-range={SERVICES}",
            "--authorization-mode=Node,RBAC",
            f"--token-auth-file={self._folder / 'tokens.csv'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.accounts_key}",
            f"--service-account-signing-key-file={self.accounts_key}",
            f"--audit-policy-file={self._folder / 'audit.yaml'}",
            f"--audit-log-path={self._folder / 'audit.log'}",
            *self._place.flags,
        ]

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        headers = {"Authorization": "Bearer admin-token"}
        while time.monotonic() < deadline:
            for name, process in self._processes.items():
                log = self._folder / f"{name}.log"
                assert process.poll() is None, f"{name} has ended: {log_tail(log)}"
            try:
                url = f"{self.url}/readyz"
                answer = httpx.get(url, headers=headers, verify=False, trust_env=False)  # noqa: S501
                if answer.status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise AssertionError(f"not ready: {log_tail(self._folder / 'kube-apiserver.log')}")


def _start(folder: Path, name: str, command: Sequence[str | Path]) -> Running:
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


@contextmanager
def running_api_server(
    programs: Mapping[str, Path], folder: Path, place: Place | None = None
) -> Iterator[ApiServer]:
    """An API server for the length of a block; without a place it is on loopback."""
    server = ApiServer(programs, folder, place or loopback())
    try:
        server.start()
        yield server
    finally:
        server.stop()
