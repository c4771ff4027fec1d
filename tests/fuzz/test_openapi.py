"""Every answer is as the OpenAPI document says, to requests that a tool makes of that document."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.fuzz
SEED = 20_261_124
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
]


# A schema cannot express that a tensor's shape fits its data, so V2 may refuse what it allows.
@pytest.mark.parametrize(
    ("version", "checks"), [("v1", [*CHECKS, "positive_data_acceptance"]), ("v2", CHECKS)]
)
def test_answers_are_as_openapi_says(target, request, tmp_path, version, checks, record_property):
    examples = max(20, request.config.getoption("--fuzz") // 100)
    command = [Path(sys.executable).parent / "schemathesis", "run", f"{target.url}/openapi.json"]
    command += ["--checks", ",".join(checks), "--max-examples", str(examples), "--seed", str(SEED)]
    command += ["--no-color", "--phases", "examples,coverage,fuzzing"]
    command += ["--include-path-regex", f"^/{version}"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ended.returncode == 0, ended.stdout[-6000:]
    assert "repeatedly returned 404" not in ended.stdout
    (generated,) = re.findall(r"(\d+) generated", ended.stdout)
    record_property("fuzz", (f"OpenAPI, {version}", {"as it says": int(generated)}))
