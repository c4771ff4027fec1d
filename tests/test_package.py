"""The wheel, installed: it has all files, and works where the repository is not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

TOP = Path(__file__).parents[1]
COMMAND = "emotion-pipeline"
BUILT = shutil.ignore_patterns("__pycache__", "*_pb2*")

# What bash does when Tab is pressed: the words of the line, and a call of the registered function.
# `compopt` says that files may be offered as well, and works at a prompt alone.
PRESS_TAB = f"""
compopt() {{ :; }}
eval "$(_EMOTION_PIPELINE_COMPLETE=bash_source {COMMAND})"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
registered=$(complete -p {COMMAND})
function=${{registered##*-F }}
"${{function%% *}}" {COMMAND}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of a copy of what is in the repository."""
    source, wheels = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheels")
    for folder in ("components", "pipelines"):
        shutil.copytree(TOP / folder, source / folder, ignore=BUILT)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(TOP / name, source)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, source], check=True)
    (path,) = wheels.iterdir()
    return path


@pytest.fixture(scope="module")
def shell(wheel, tmp_path_factory):
    """Runs programs in an empty folder where the wheel is installed, beside its dependencies."""
    prefix, folder = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("elsewhere")
    options = ["--quiet", "--no-deps", "--no-index", "--ignore-installed", f"--prefix={prefix}"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, wheel], check=True)
    (packages,) = prefix.glob("lib*/python*/site-packages")
    programs = f"{prefix / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": programs, "PYTHONPATH": str(packages)}

    def run(*words, **more):
        return subprocess.run(
            words,
            cwd=folder,
            env={**environment, **more},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    run.folder, run.packages = folder, packages
    return run


def test_the_wheel_has_every_file_of_the_packages(wheel):
    files = [path for top in ("components", "pipelines") for path in (TOP / top).rglob("*")]
    wanted = {
        str(path.relative_to(TOP))
        for path in files
        if path.is_file() and path.suffix not in {".proto", ".pyc"} and "_pb2" not in path.name
    }
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
        schedule = yaml.safe_load(archive.read("pipelines/schedules/emotion.yaml"))
    assert wanted - names == set()
    assert "components/serve/open_inference_pb2_grpc.py" in names
    assert not [name for name in names if name.startswith(("tests/", "manifests/"))]
    assert schedule["display_name"] == "emotion-weekly"


def test_the_help_loads_nothing_heavy(shell):
    ended = shell(COMMAND, "--help", PYTHONPROFILEIMPORTTIME="1")
    assert ended.stdout.startswith(f"Usage: {COMMAND} [OPTIONS] COMMAND")
    loaded = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "click" in loaded
    assert not loaded & {"kfp", "numpy", "pandas", "rich", "torch", "httpx", "components.generate"}


def test_a_command_works_where_the_repository_is_not(shell):
    ended = shell(COMMAND, "merge", "--output", "dataset", "--report", "report.html")
    assert ended.returncode == 0, ended.stderr
    assert f"{shell.packages}/components/merge/sample/train.csv" in ended.stderr
    assert (shell.folder / "dataset" / "train.parquet").is_file()
    assert "<!doctype html>" in (shell.folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("pub", ["publish-model"]),
        ("run --para", ["--params"]),
        ("run --params sm", ["smoke"]),
        ("submit --pipeline w", ["watch"]),
    ],
)
def test_bash_completes(shell, line, offered):
    ended = shell("bash", "-c", PRESS_TAB, "bash", COMMAND, *line.split())
    assert (ended.stdout.splitlines(), ended.returncode) == (offered, 0), ended.stderr
