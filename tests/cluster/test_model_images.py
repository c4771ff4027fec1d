"""Models as images in Debian's docker-registry, which asks for a password and speaks TLS.

`apt-get install docker-registry`; KServe and a container runtime that mount them are not here.
"""

import base64
import io
import json
import socket
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from components.artifacts.image_repository import ImageRepository
from components.artifacts.model import bundle
from components.artifacts.model_image import publish_image
from components.errors import InputError, WorkError
from components.processes import free_port, running_server
from tests.cluster.node.certificates import Authority
from tests.images.registry import registry_command

pytestmark = pytest.mark.cluster
# "deployer" and "secret", as `htpasswd -B` writes them.
_PASSWORDS = "deployer:$2y$04$d2RFyoy0XXoJuLGb5aYaj.oHCSiO6o8IF1fFhMYkD2ODaA96OcexS\n"


@dataclass(frozen=True)
class Registry:
    """A registry, and Docker's file with the password for it."""

    host: str
    config: Path

    @property
    def repository(self) -> str:
        return f"oci://{self.host}/team/emotion"

    def get(self, path: str, **headers: str) -> httpx.Response:
        answer = httpx.get(
            f"https://{self.host}/v2/team/emotion/{path}",
            auth=("deployer", "secret"),
            headers=headers,
            verify=False,  # noqa: S501 (it is told from no other by its port)
        )
        assert answer.is_success, answer.text
        return answer


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry at this machine's name: at a loopback address a client would not speak TLS."""
    name, port, health = socket.gethostname(), free_port(), f"127.0.0.1:{free_port()}"
    authority = Authority()
    (tmp_path / "authority.crt").write_bytes(authority.certificate)
    certificate, key = authority.issue("registry", names=(name,)).write(tmp_path, "registry")
    (tmp_path / "passwords").write_text(_PASSWORDS)
    http = {
        "addr": f":{port}",
        "tls": {"certificate": str(certificate), "key": str(key)},
        "debug": {"addr": health},
    }
    auth = {"htpasswd": {"realm": "registry", "path": str(tmp_path / "passwords")}}
    command = registry_command("", tmp_path / "store", tmp_path, http=http, auth=auth)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.crt"))
    config = tmp_path / "config.json"
    known = base64.b64encode(b"deployer:secret").decode()
    config.write_text(json.dumps({"auths": {f"{name}:{port}": {"auth": known}}}))
    with running_server(command, f"http://{health}/debug/health", tmp_path / "log", 30):
        yield Registry(f"{name}:{port}", config)


def test_the_registry_has_the_image_that_the_uri_names(registry, sealed_model, tmp_path):
    repository = ImageRepository(registry.repository, registry.config)
    repository.require_pushable()
    uri = publish_image(sealed_model, repository, "run-1")
    assert publish_image(sealed_model, repository, "run-1") == uri
    digest = uri.rpartition("@")[2]
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = registry.get(f"manifests/{digest}", Accept=kind).json()
    (layer,) = manifest["layers"]
    blob = registry.get(f"blobs/{layer['digest']}").content
    with tarfile.open(fileobj=io.BytesIO(blob)) as tar:
        tar.extractall(tmp_path / "image", filter="data")
    found = bundle.verify(tmp_path / "image" / "models")
    assert found.sha256 == bundle.verify(sealed_model).sha256


def test_without_the_password_nothing_is_pushed(registry, tmp_path):
    for content in ({}, {"auths": {registry.host: {"auth": "ZGVwbG95ZXI6d3Jvbmc="}}}):
        config = tmp_path / "other.json"
        config.write_text(json.dumps(content))
        with pytest.raises(InputError, match=r"refuses this account .*config\.json"):
            ImageRepository(registry.repository, config).require_pushable()


def test_a_registry_of_another_authority_is_not_trusted(registry, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    with pytest.raises(WorkError, match=r"cannot be reached \(SSLError"):
        ImageRepository(registry.repository, registry.config).require_pushable()
