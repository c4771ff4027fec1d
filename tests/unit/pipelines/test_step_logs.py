"""Taking kfp.local's output apart."""

import io

import pytest

from pipelines.local.display import Display
from pipelines.local.step_logs import StepLogs

TRANSCRIPT = """\
12:00:00.000 - INFO - Executing task \033[96m'merge'\033[0m
12:00:00.001 - INFO - Streamed logs:

    some library speaks
    merge: 10 rows read
    components.errors.InputError: data.csv, row 3: the text is empty. Mend it.

12:00:01.000 - INFO - Task \033[96m'merge'\033[0m finished with status {status}
"""


@pytest.fixture
def taken(tmp_path):
    def take(status, size):
        console = io.StringIO()
        logs = StepLogs(tmp_path / "logs", Display(console))
        text = TRANSCRIPT.format(status=f"\033[92m{status}\033[0m")
        for start in range(0, len(text), size):
            logs.write(text[start : start + size])
        return logs, console.getvalue()

    return take


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_progress_goes_to_the_console_and_everything_to_the_log(taken, size):
    logs, console = taken("SUCCESS", size)
    assert "merge: 10 rows read" in console
    assert "some library" not in console
    assert "some library speaks\n" in logs.path("merge").read_text()
    assert set(logs.seconds) == {"merge"}
    assert not logs.failed


def test_a_failure_keeps_the_step_and_the_reason(taken):
    logs, _ = taken("FAILURE", 100)
    assert logs.failed == "merge"
    assert logs.reason == "data.csv, row 3: the text is empty. Mend it."


def test_what_follows_a_failure_does_not_hide_it(tmp_path):
    logs = StepLogs(tmp_path / "logs", Display(io.StringIO()))
    logs.write(TRANSCRIPT.format(status="FAILURE"))
    after = TRANSCRIPT.replace("merge", "outcome").replace("data.csv, row 3", "webhook")
    logs.write(after.format(status="SUCCESS"))
    assert logs.failed == "merge"
    assert logs.reason == "data.csv, row 3: the text is empty. Mend it."
    assert "webhook" in logs.path("outcome").read_text()


def test_branches_of_a_loop_are_one_step(tmp_path):
    console = io.StringIO()
    logs = StepLogs(tmp_path / "logs", Display(console))
    started, *_, finished = TRANSCRIPT.format(status="SUCCESS").strip().split("\n")
    deep = " " * 12 + "merge: the other branch"
    logs.write("\n".join([started, started, finished, deep, finished, ""]))
    assert "  merge: the other branch" in console.getvalue()
    assert "merge: the other branch\n" in logs.path("merge").read_text()
    assert console.getvalue().count("> merge") == 1
    assert console.getvalue().count("done in") == 1


def test_a_branch_whose_end_is_not_told_ends_with_the_next_step(tmp_path):
    console = io.StringIO()
    logs = StepLogs(tmp_path / "logs", Display(console))
    started, *_, finished = TRANSCRIPT.format(status="SUCCESS").strip().split("\n")
    other = started.replace("merge", "train")
    logs.write(
        "\n".join([started, started, finished, other, "", finished.replace("merge", "train")])
    )
    logs.write("\n")
    assert console.getvalue().index("merge: done in") < console.getvalue().index("> train")
    assert console.getvalue().count("done in") == 2
    assert set(logs.seconds) == {"merge", "train"}


def test_the_seconds_of_branches_that_follow_each_other_add_up(tmp_path, monkeypatch):
    now = iter((0.0, 0.0, 30.0, 31.0, 34.0))
    monkeypatch.setattr("pipelines.local.step_logs.time.monotonic", lambda: next(now))
    logs = StepLogs(tmp_path / "logs", Display(io.StringIO()))
    started, *_, finished = TRANSCRIPT.format(status="SUCCESS").strip().split("\n")
    logs.write("\n".join([started, finished, started, finished, ""]))
    assert logs.seconds == {"merge": 33.0}
