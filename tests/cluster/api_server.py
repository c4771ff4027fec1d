"""A real Kubernetes API server with RBAC, an audit log and KServe's kinds, on loopback."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from kubernetes import client

from components.processes import free_port, log_tail

_START_SECONDS = 120
_STOP_SECONDS = 20
_TOKENS = {"admin": "system:masters", "editor": "system:masters"}


class ApiServer:
    """kube-apiserver before an etcd of its own.

    Args:
        programs: Folder with both programs, as `KUBEBUILDER_ASSETS` names it.
        folder: For their data and logs.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self._port, self._store_port, self._peer_port = free_port(), free_port(), free_port()
        self.url = f"https://127.0.0.1:{self._port}"
        self._write_files()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start what does not run, and wait until it is ready."""
        for name, arguments in {"etcd": self._etcd(), "kube-apiserver": self._server()}.items():
            process = self._processes.get(name)
            if process is None or process.poll() is not None:
                command = [str(self._programs / name), *arguments]
                with (self._folder / f"{name}.log").open("ab") as log:
                    self._processes[name] = subprocess.Popen(command, stdout=log, stderr=log)
        self._wait()

    def kill(self) -> None:
        """Kill the API server, as a node that fails would; etcd stays."""
        self._processes["kube-apiserver"].kill()
        self._processes["kube-apiserver"].wait(_STOP_SECONDS)

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
        path = self._folder / f"{user}-{namespace}.yaml"
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
        """The server's certificate."""
        return self._folder / "certificates" / "apiserver.crt"

    def _write_files(self) -> None:
        tokens = [f'{user}-token,{user},{user},"{group}"' for user, group in _TOKENS.items()]
        (self._folder / "tokens.csv").write_text("\n".join(tokens) + "\n")
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        (self._folder / "accounts.key").write_bytes(pem)
        policy = {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [{"level": "Metadata"}],
        }
        (self._folder / "audit.yaml").write_text(yaml.safe_dump(policy))

    def _etcd(self) -> list[str]:
        store, peer = (f"http://127.0.0.1:{port}" for port in (self._store_port, self._peer_port))
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
        key = self._folder / "accounts.key"
        return [
            f"--etcd-servers=http://127.0.0.1:{self._store_port}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._port}",
            f"--cert-dir={self._folder / 'certificates'}",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--authorization-mode=RBAC",
            f"--token-auth-file={self._folder / 'tokens.csv'}",
            "--disable-admission-plugins=ServiceAccount",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            f"--audit-policy-file={self._folder / 'audit.yaml'}",
            f"--audit-log-path={self._folder / 'audit.log'}",
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


@contextmanager
def running_api_server(programs: Path, folder: Path) -> Iterator[ApiServer]:
    """An API server for the length of a block."""
    server = ApiServer(programs, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def custom_resource(path: Path) -> dict[str, Any]:
    """A CustomResourceDefinition from one of KServe's schemas."""
    content = json.loads(path.read_text())
    kind = content["kind"]
    version = {
        "name": content["version"],
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _without_empty_defaults(content["schema"])},
        "subresources": {"status": {}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}s.{content['group']}"},
        "spec": {
            "group": content["group"],
            "names": {"kind": kind, "plural": f"{kind.lower()}s", "singular": kind.lower()},
            "scope": "Cluster" if kind.startswith("Cluster") else "Namespaced",
            "versions": [version],
        },
    }


def _without_empty_defaults(schema: Any) -> Any:
    # Kubernetes 1.20 refuses them.
    if isinstance(schema, list):
        return [_without_empty_defaults(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: each for key, each in schema.items() if (key, each) != ("default", "")}
    return {key: _without_empty_defaults(each) for key, each in kept.items()}
