"""The Dockerfile, without a build."""

import re

from tests.images.conftest import STEPS, TOP

DOCKERFILE = (TOP / "images" / "Dockerfile").read_text()


def test_every_step_has_a_stage():
    stages = re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE)
    assert set(stages) == {"build", "base", *STEPS}


def test_the_public_base_is_pinned_by_digest():
    assert re.search(r"^ARG BASE_IMAGE=\S+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)


def test_the_entrypoint_of_the_base_image_is_reset():
    base = DOCKERFILE.partition(" AS base\n")[2].partition("FROM")[0]
    assert "ENTRYPOINT []" in base
