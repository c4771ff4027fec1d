"""The Makefile passes on what it is given as it is."""

import os
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
ODD = ["my runs/a b", "it's", 'a "b"', "a;b & c|d", "`x` (y) *", "two  spaces ", "\\n", "ä #1"]
# A program that adds its arguments, each on a line, to what has been called.
STUB = '#!/bin/sh\nfor each; do printf "%s\\n" "$each"; done >> "$CALLED"\n'
PASSED = {
    "run": {"PARAMS": "--params"},
    "test-alerts": {"PROMTOOL": "tests.manifests.run_promtool"},
    "fuzz": {"INPUTS": "--fuzz"},
    "test-kubeflow": {
        "HOST": "--kubeflow-host",
        "UI": "--kubeflow-ui",
        "UI_USER": "--kubeflow-ui-user",
        "NAMESPACE": "--kubeflow-namespace",
        "PARAMS": "--kubeflow-params",
        "SETTINGS": "--kubeflow-settings",
        "LOCK": "--kubeflow-lock",
        "SERVICE_ACCOUNT": "--kubeflow-service-account",
    },
    "compile": {
        "PARAMS": "--params",
        "SETTINGS": "--settings",
        "LOCK": "--lock",
    },
    "submit": {
        "PARAMS": "--params",
        "SETTINGS": "--settings",
        "LOCK": "--lock",
        "HOST": "--host",
        "UI": "--ui",
        "NAMESPACE": "--namespace",
        "EXPERIMENT": "--experiment",
        "SERVICE_ACCOUNT": "--service-account",
        "PIPELINE": "--pipeline",
    },
    "upload": {"PARAMS": "--params", "HOST": "--host", "LOCK": "--lock"},
    "push-manifests": {"REGISTRY": "--registry", "TAG": "--tag"},
    "lock": {"REGISTRY": "--registry", "TAG": "--tag", "DOCKER": "--docker", "LOCK": "--output"},
    "serve": {"MODEL": "--model-dir", "PAYLOADS": "--payload-folder"},
    "watch": {"PAYLOADS": "--payloads", "MODEL": "--model", "EVALUATION": "--reference"},
    "predict": {"INPUT": "--input", "OUTPUT": "--output", "MODEL": "--model"},
    "deploy": {"MODEL": "--model", "EVALUATION": "--evaluation", "RUN": "--run"},
    "search": {"TRIALS": "--trials"},
    "bench-generate": {"LLM": "--model"},
    "bench-synthetic": {"DATA": "--dataset"},
    "bench-train": {"DATA": "--dataset"},
    "bench-accuracy": {"DATA": "--dataset"},
    "bench-leak": {"DATA": "--dataset"},
    "bench-serve": {"MODEL": "--model", "DATA": "--dataset"},
    "bench-scaling": {"MODEL": "--model"},
    "bench-predict": {"MODEL": "--model"},
}
"""The word before the value of each variable, by target."""
PATHS = {
    "PARAMS",
    "SETTINGS",
    "LOCK",
    "OUTPUT",
    "MODEL",
    "EVALUATION",
    "DATA",
    "PROMTOOL",
    "LLM",
    "PAYLOADS",
    "INPUT",
}
CASES = [(target, name) for target, names in PASSED.items() for name in names]


@pytest.fixture
def make(tmp_path):
    """Runs make with programs that only note their arguments; returns these."""
    for name in ("emotion-pipeline", "python", "pytest", "syft", "docker"):
        (tmp_path / name).write_text(STUB)
        (tmp_path / name).chmod(0o755)
    called = tmp_path / "called"

    def run(*arguments, **variables):
        called.write_text("")
        names = {"BIN": tmp_path, **variables}
        assigned = [f"{name}={value}".replace("$", "$$") for name, value in names.items()]
        command = ["make", "--silent", "--old-file=setup", *arguments, *assigned]
        environment = {**os.environ, "CALLED": str(called)}
        subprocess.run(command, cwd=TOP, env=environment, check=True, capture_output=True)
        return called.read_text().split("\n")

    return run


@pytest.mark.parametrize(("target", "name"), CASES)
def test_a_value_reaches_the_command_as_it_is(make, target, name):
    before = PASSED[target][name]
    for value in ODD:
        words = make(target, **{"REGISTRY": "r", name: value})
        assert words[words.index(before) + 1] == value


@pytest.mark.parametrize("value", ODD)
def test_a_file_to_write_is_one_word(make, value):
    assert make("compile", OUTPUT=value)[1:-1] == [value]
    given = make("compile", PARAMS="a b.yaml", OUTPUT=value)
    assert given[1:-1] == ["--params", "a b.yaml", value]


@pytest.mark.parametrize("value", ODD)
def test_names_of_images_are_one_word(make, tmp_path, value):
    docker = tmp_path / "docker"
    built = make("image-train", DOCKER=docker, TAG=value, REVISION=value, BASE_IMAGE=value)
    assert f"emotion-pipeline/train:{value}" in built
    assert {f"{name}={value}" for name in ("VERSION", "REVISION", "BASE_IMAGE")} <= set(built)
    pushed = make("push", DOCKER=docker, REGISTRY=value, TAG=value, STEPS="train")
    image = f"emotion-pipeline/train:{value}"
    assert pushed[:-1] == ["tag", image, f"{value}/{image}", "push", f"{value}/{image}"]
    assert f"docker:emotion-pipeline/train:{value}" in make("sbom", TAG=value, STEPS="train")


@pytest.mark.parametrize(
    ("target", "name"), [case for case in [*CASES, ("compile", "OUTPUT")] if case[1] in PATHS]
)
def test_the_home_folder_may_be_written_as_in_a_shell(make, target, name):
    assert f"{os.environ['HOME']}/a b" in make(target, **{"REGISTRY": "r", name: "~/a b"})


def test_a_schedule_keeps_its_stars(make):
    words = make("submit", SCHEDULE="0 0 3 * * 1")
    assert words[words.index("--schedule") + 1].strip() == "0 0 3 * * 1"


def test_every_variable_that_a_user_may_set_is_quoted():
    """What is left unquoted is a program, a list, or a name that the Makefile itself has made."""
    bare = {"BIN", "PYTHON", "DOCKER", "STEPS", "ELSEWHERE", "BUILD_OPTIONS", "VENV", "PORT"}
    bare |= {"RUNS", "DONE", "ENCODER", "MAKECMDGOALS", "MAKEFILE_LIST"}
    text = (TOP / "Makefile").read_text()
    recipes = [line for line in text.replace("\\\n", " ").split("\n") if line.startswith("\t")]
    for recipe in recipes:
        left = re.sub(r"\$\(if \$\([A-Z_]+\)", "", recipe)
        left = re.sub(r"\$\(call \w+,(\$\([A-Z_]+\)|[^()])*\)", "", left)
        alone = re.findall(r"(?:^|[\s=:])\$\(([A-Z_]+)\)", left)
        assert set(alone) <= bare, recipe
