"""The command that `make serve` prints for its user."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_curl_line_that_is_printed_works(predictor_url):
    port = predictor_url.rpartition(":")[2]
    recipe = subprocess.run(
        ["make", "--dry-run", "serve", f"PORT={port}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (echo,) = (line for line in recipe.splitlines() if "curl" in line)
    command = f"no_proxy='*' sh -c \"$({echo})\""
    answer = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout)["predictions"][0]["label"]
