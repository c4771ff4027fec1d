"""The images of the product, and KServe's storage initializer, in the cluster's registry.

They are built by `make images push lock` when a file that goes into them has changed; layers and
registry stay in the cache, without what is of no use to the next build.
"""

import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import docker

from components.processes import free_port
from pipelines.lock import read_lock
from tests.cluster.node.addresses import LOCAL_REGISTRY
from tests.cluster.programs.build import CACHE, source
from tests.images.engine import SUITE, make_base, running_engine
from tests.images.make import TOP, run_make
from tests.images.pip_settings import build_variables
from tests.images.registry import running_registry

STORAGE = CACHE / "registry"
STEPS = ("deploy", "evaluate", "merge", "serve")
TAG = "local"
"""As the kind overlay names them."""
INITIALIZER = "storage-initializer"
_INITIALIZER_FILE = Path(__file__).parent / INITIALIZER / "Dockerfile"


def images() -> Mapping[str, str]:
    """Build and push what has changed.

    Returns:
        The reference with digest of each step's image.
    """
    lock = STORAGE / f"{_content():.16}.yaml"
    if not lock.exists():
        shutil.rmtree(STORAGE, ignore_errors=True)
        STORAGE.mkdir(parents=True)
        with tempfile.TemporaryDirectory() as folder:
            _make(Path(folder), lock)
    return read_lock(lock)


def _content() -> str:
    """The hash of all that goes into the images."""
    packages = ["pyproject.toml", "constraints.txt", "embedded-models.txt"]
    files = ["images/Dockerfile", *packages, "components", "LICENSE"]
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *files]
    listed = subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True).stdout
    paths = [TOP / each for each in sorted(listed.splitlines())]
    content = hashlib.sha256(SUITE.encode())
    for path in (path for path in [*paths, _INITIALIZER_FILE] if path.is_file()):
        content.update(f"\n{path.relative_to(TOP)}\n".encode())
        content.update(path.read_bytes())
    return content.hexdigest()


def _make(folder: Path, lock: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    partial = folder / "lock.yaml"
    where = [f"REGISTRY={address}", f"TAG={TAG}", f"LOCK={partial}", f"STEPS={' '.join(STEPS)}"]
    with running_engine(CACHE / "docker") as engine, build_variables(folder) as variables:
        base = make_base(engine, folder)
        run_make("images", "--jobs=2", *where, f"BASE_IMAGE={base}", *variables)
        (options,) = (each for each in variables if each.startswith("BUILD_OPTIONS="))
        initializer = f"{address}/{INITIALIZER}:{TAG}"
        _build_initializer(initializer, base, shlex.split(options.partition("=")[2]))
        with running_registry(address, STORAGE, folder):
            run_make("push", "lock", *where)
            engine.images.push(initializer)
        _forget(engine, address)
    lock.write_text(partial.read_text().replace(address, LOCAL_REGISTRY))


def _forget(engine: docker.DockerClient, address: str) -> None:
    """Take the names of a registry that is gone from the images, whose layers stay in the cache."""
    for image in engine.images.list():
        for tag in image.tags:
            if tag.startswith(f"{address}/"):
                engine.images.remove(tag)


def _build_initializer(name: str, base: str, options: Sequence[str]) -> None:
    scripts = source("kserve", "github.com/kserve/kserve") / "python" / INITIALIZER / "scripts"
    command = [os.environ.get("DOCKER", "docker"), "build", f"--tag={name}"]
    command += [f"--file={_INITIALIZER_FILE}", f"--build-arg=BASE_IMAGE={base}", *options, scripts]
    subprocess.run(command, check=True, env={**os.environ, "DOCKER_BUILDKIT": "1"})
