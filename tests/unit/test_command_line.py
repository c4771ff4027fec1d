"""The options and exits that all entry points share."""

import subprocess
import sys
from dataclasses import dataclass

import pytest

from components.command_line import command, errors_as_exit, settings_options
from components.errors import InputError, RolloutError


@dataclass(frozen=True)
class Recipe:
    rate: float = 0.1
    name: str = "plain"


@command()
@settings_options(Recipe)
def recipe(chosen):
    """Print a recipe."""
    return chosen()


def chosen(*words):
    return recipe(words, standalone_mode=False)


def test_settings_come_from_a_file_and_assignments_win(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("rate: 1e-3\nname: mine\n")
    assert chosen() == Recipe()
    assert chosen("--settings", str(path)) == Recipe(1e-3, "mine")
    assert chosen("--settings", str(path), "--set", "rate=2 name='a b'") == Recipe(2.0, "a b")
    assert chosen("--set", "rate=1", "--set", "rate=3e-4") == Recipe(3e-4)


def test_an_unknown_setting_is_refused():
    with pytest.raises(InputError, match="Did you mean rate"):
        chosen("--set", "rat=1")


@pytest.mark.parametrize("kind", [InputError, RolloutError])
def test_any_error_of_a_step_ends_the_command_in_one_line(kind):
    with pytest.raises(SystemExit) as ended, errors_as_exit("deploy"):
        raise kind("service x", "is not ready", "Look at it")
    assert ended.value.code == "deploy: service x: is not ready. Look at it."


def test_a_path_that_cannot_be_written_ends_the_command_in_one_line(tmp_path):
    with pytest.raises(SystemExit) as ended, errors_as_exit("merge"):
        (tmp_path / "none" / "file").write_text("")
    said = "none/file: cannot be used (No such file or directory). Check the path and"
    assert said in str(ended.value.code)


@pytest.mark.parametrize("bug", [KeyError("bug"), OSError("bug")])
def test_other_errors_are_not_hidden(bug):
    with pytest.raises(type(bug)), errors_as_exit("deploy"):
        raise bug


# s3fs asks aiobotocore, which logs where it found credentials as soon as it needs them.
READ_FROM_S3 = """
import sys
from components import storage
from components.command_line import start_logging

start_logging()
storage.open_store(sys.argv[1]).sizes()
"""


def test_a_step_that_reads_from_s3_logs_nothing_about_credentials(s3_bucket):
    command = [sys.executable, "-c", READ_FROM_S3, f"{s3_bucket}/folder"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""


ASK_A_CLUSTER = """
from urllib3 import PoolManager, Retry
from kubernetes import client
from components.command_line import start_logging

start_logging()
client.Configuration()
try:
    PoolManager(retries=Retry(1)).request("GET", "http://127.0.0.1:9")
except Exception as error:
    print(type(error).__name__)
"""


def test_requests_that_are_repeated_are_no_lines():
    command = [sys.executable, "-c", ASK_A_CLUSTER]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("MaxRetryError", "")
