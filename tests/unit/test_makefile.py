"""The Makefile passes on what it is given as it is."""

import shlex
import subprocess
from pathlib import Path

TOP = Path(__file__).parents[2]


def test_texts_reach_the_command_as_they_are():
    given = {
        "HOST": "https://kubeflow/?a=1&b=2;c",
        "UI": "https://kubeflow/#/it's",
        "NAMESPACE": "a b",
        "EXPERIMENT": "anna's, of `today`",
        "SERVICE_ACCOUNT": '"',
    }
    assigned = [f"{name}={value}" for name, value in given.items()]
    command = ["make", "--dry-run", "submit", *assigned]
    recipe = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=True).stdout
    words = shlex.split(recipe[recipe.index("-m pipelines.submit") :])
    for name, value in given.items():
        option = f"--{name.lower().replace('_', '-')}"
        assert words[words.index(option) + 1] == value
