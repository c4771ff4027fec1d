"""Answers over HTTP are as the protocol's published OpenAPI document says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.oip.published import narrowed, openapi

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
]


@pytest.fixture(scope="session")
def document(published, client):
    return openapi(published, client.get("/v2/models/emotion").json())


def run(document, folder, url, checks, *options):
    path = folder / "openapi.json"
    path.write_text(json.dumps(document))
    command = [Path(sys.executable).parent / "schemathesis", "run", path, "--url", url]
    command += ["--checks", ",".join(checks), "--no-color", "--seed", "7", *options]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "20"]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


def test_whatever_the_schema_allows_is_answered_as_it_says(document, tmp_path, predictor_url):
    ended = run(document, tmp_path, predictor_url, CHECKS)
    assert ended.returncode == 0, ended.stdout[-6000:]
    assert f"Tested: {len(document['paths'])}" in ended.stdout


def test_what_the_model_can_classify_is_accepted(document, tmp_path, predictor_url):
    checks = [*CHECKS, "positive_data_acceptance"]
    only = ["--include-path-regex", "infer$"]
    ended = run(narrowed(document), tmp_path, predictor_url, checks, *only)
    assert ended.returncode == 0, ended.stdout[-6000:]
    assert "Tested: 2" in ended.stdout
