"""Runs targets of the Makefile with the Docker and Python of the tests."""

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[2]


def run_make(*arguments: str) -> str:
    """Run make; returns what it printed.

    Raises:
        AssertionError: If it fails, with its last words.
    """
    programs = [
        f"DOCKER={os.environ.get('DOCKER', 'docker')}",
        f"BIN={Path(sys.executable).parent}",
    ]
    ended = subprocess.run(
        ["make", "--old-file=setup", *programs, *arguments],
        cwd=TOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-5000:]
    return ended.stdout
