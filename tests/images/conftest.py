"""Fixtures: a Docker engine, and all images, built by `make images`."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from tests.images.engine import make_base, running_engine
from tests.images.make import TOP, run_make
from tests.images.pip_settings import build_variables

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "emotion-pipeline"
STEPS = re.findall(r"^STEPS +\?= (.*)$", (TOP / "Makefile").read_text(), re.MULTILINE)[0].split()
Make = Callable[..., str]


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """A Docker engine that `docker` and kfp find too."""
    with running_engine(CACHE / "docker") as client:
        yield client


@pytest.fixture(scope="session")
def make(engine: docker.DockerClient) -> Make:  # noqa: ARG001 (it must run)
    """Runs a target of the Makefile; returns what it printed."""

    return run_make


@pytest.fixture(scope="session")
def base(engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The base of the images: BASE_IMAGE, or one built here."""
    return os.environ.get("BASE_IMAGE") or make_base(engine, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def revision() -> str:
    """The commit that the images are built from."""
    command = ["git", "rev-parse", "HEAD"]
    return subprocess.run(
        command, cwd=TOP, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture(scope="session")
def images(
    engine: docker.DockerClient,
    make: Make,
    base: str,
    revision: str,  # noqa: ARG001 (read before the build)
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, docker.models.images.Image]:
    """Every image, by its step."""
    with build_variables(tmp_path_factory.mktemp("pip")) as variables:
        make("images", "--jobs=2", f"BASE_IMAGE={base}", *variables)
    return {step: engine.images.get(f"emotion-pipeline/{step}") for step in STEPS}
