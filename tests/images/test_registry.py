"""`make push` and `make lock`, against Debian's docker-registry."""

import httpx
import pytest
import yaml

from components.processes import free_port
from tests.images.registry import running_registry

pytestmark = pytest.mark.images


def test_the_lock_names_the_digest_that_the_registry_knows(images, engine, make, tmp_path):
    lock = tmp_path / "lock.yaml"
    host = f"127.0.0.1:{free_port()}"
    with running_registry(host, tmp_path / "registry", tmp_path):
        where = [f"REGISTRY={host}/team", "STEPS=deploy"]
        make("push", *where)
        make("lock", *where, f"LOCK={lock}")
        locked = yaml.safe_load(lock.read_text())
        assert list(locked) == ["deploy"]
        repository, digest = locked["deploy"].split("@")
        assert repository == f"{host}/team/emotion-pipeline/deploy"
        manifest = f"http://{host}/v2/team/emotion-pipeline/deploy/manifests/{digest}"
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        answer = httpx.get(manifest, headers={"Accept": kind})
        assert answer.status_code == 200
        assert answer.json()["config"]["digest"] == images["deploy"].id
        pulled = engine.images.pull(locked["deploy"])
        assert pulled.id == images["deploy"].id


@pytest.mark.usefixtures("engine")
def test_an_image_that_was_not_pushed_is_not_locked(make, tmp_path):
    lock = tmp_path / "lock.yaml"
    with pytest.raises(AssertionError, match="Run: make push"):
        make("lock", "REGISTRY=127.0.0.1:1/nowhere", "STEPS=deploy", f"LOCK={lock}")
    assert not lock.exists()
