"""What can be told from the Dockerfiles alone."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.images.conftest import STEPS, TOP

DOCKERFILES = {step: TOP / "images" / step / "Dockerfile" for step in STEPS}


def test_every_step_has_one_and_nothing_else_does():
    assert sorted(TOP.glob("images/*/Dockerfile")) == sorted(DOCKERFILES.values())


def test_hadolint_has_nothing_to_say():
    hadolint = shutil.which("hadolint", path=Path(sys.executable).parent)
    command = [hadolint, *DOCKERFILES.values()]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")


@pytest.mark.parametrize("step", STEPS)
def test_the_public_base_is_pinned_by_digest(step):
    (line,) = (
        line
        for line in DOCKERFILES[step].read_text().splitlines()
        if line.startswith("ARG BASE_IMAGE=")
    )
    assert "@sha256:" in line


def test_the_plain_ones_differ_in_names_alone():
    contents = set()
    for step in ("merge", "evaluate", "deploy"):
        lines = DOCKERFILES[step].read_text().replace(step, "STEP").splitlines()
        described = ("# STEP: ", "      org.opencontainers.image.description=")
        contents.add(tuple(line for line in lines if not line.startswith(described)))
    assert len(contents) == 1
