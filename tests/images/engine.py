"""A Docker engine, and a base image without a registry to pull one from."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import docker
from docker.errors import DockerException

SUITE = "bookworm"
BASE = f"emotion-pipeline/base:{SUITE}"
_START_SECONDS = 60
# Every change of the code leaves layers behind. The newest of all images take half of this.
_SETTINGS = {"builder": {"gc": {"enabled": True, "defaultKeepStorage": "8GB"}}}


@contextmanager
def running_engine(folder: Path) -> Iterator[docker.DockerClient]:
    """A Docker engine: one that already answers, or a new one, which others find by DOCKER_HOST.

    A new one needs root and Debian's docker.io. It creates no bridge and no firewall rules: builds
    and containers use the host's network.

    Args:
        folder: Images and build cache of a new engine, for the next time.
    """
    try:
        client = docker.from_env(timeout=600)
    except DockerException:
        with _own_engine(folder) as address, patch.dict("os.environ", DOCKER_HOST=address):
            client = docker.from_env(timeout=600)
            client.images.prune()
            yield client
    else:
        yield client


@contextmanager
def _own_engine(folder: Path) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    address = f"unix://{folder}/docker.sock"
    command = ["dockerd", "--host", address, "--bridge=none", "--iptables=false"]
    command += ["--data-root", folder / "data", "--exec-root", folder / "exec"]
    command += ["--pidfile", folder / "docker.pid", "--config-file", folder / "daemon.json"]
    (folder / "daemon.json").write_text(json.dumps(_SETTINGS))
    with (folder / "dockerd.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_ready(process, address, folder / "dockerd.log")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_until_ready(process: subprocess.Popen, address: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            docker.DockerClient(address).close()
        except DockerException:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"dockerd is not ready: {log.read_text()[-2000:]}")


def make_base(client: docker.DockerClient, folder: Path) -> str:
    """Build Debian with Python from its package archive unless it exists; returns its name."""
    if not client.images.list(BASE):
        archive = folder / "base.tar"
        packages = "python3,python3-venv,ca-certificates"
        command = ["mmdebstrap", "--variant=minbase", f"--include={packages}", SUITE, archive]
        subprocess.run(command, check=True)
        client.api.import_image_from_file(str(archive), *BASE.split(":"))
        archive.unlink()
    return BASE
