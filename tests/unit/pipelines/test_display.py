"""What a local run shows, and where."""

import contextlib
import io
import sys

import pytest

from components.errors import WorkError
from pipelines.local.display import display
from tests.terminals import open_terminal

STEPS = ["merge", "train", "deploy"]


def run(failed=""):
    with display(STEPS) as shown:
        shown.start("merge")
        shown.say("  merge: 10 [rows] read")
        shown.end("merge", 1.6)
        shown.start("train")
        shown.end("train", 60.0, failed)


LINES = ["> merge", "  merge: 10 [rows] read", "  merge: done in 2 s", "> train"]
LINES_OF_SUCCESS = [*LINES, "  train: done in 60 s"]


@pytest.fixture(autouse=True)
def terminal_of_a_person(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_what_is_no_terminal_gets_lines():
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        run()
    assert output.getvalue().splitlines() == LINES_OF_SUCCESS
    assert errors.getvalue() == ""


def run_at(terminal, output, failed=""):
    with contextlib.redirect_stderr(terminal.stream), contextlib.redirect_stdout(output):
        run(failed)


def test_a_terminal_gets_the_lines_and_below_them_the_steps():
    with open_terminal() as terminal:
        run_at(terminal, terminal.stream)
    said = [line.rstrip() for line in terminal.said.split("\n")]
    for line in LINES_OF_SUCCESS:
        assert line in said
    states = {" ".join(line.split()) for line in said}
    assert {"done merge 2 s", "running train 0 s", "done train 60 s", "left deploy"} <= states
    assert terminal.codes.count("\x1b[?25l") == terminal.codes.count("\x1b[?25h") == 1


def test_lines_that_go_elsewhere_stay_plain():
    output = io.StringIO()
    with open_terminal() as terminal:
        run_at(terminal, output)
    assert output.getvalue().splitlines() == LINES_OF_SUCCESS
    assert "> merge" not in terminal.said
    assert "done" in terminal.said


def test_a_step_that_fails_is_shown_so():
    output = io.StringIO()
    with open_terminal() as terminal:
        run_at(terminal, output, failed="train")
    assert output.getvalue().splitlines() == LINES
    assert "failed train 60 s" in " ".join(terminal.said.split())


def test_an_error_leaves_the_terminal_in_order():
    with open_terminal() as terminal, contextlib.redirect_stderr(terminal.stream):
        shown = display(STEPS)
        with contextlib.suppress(WorkError), shown:
            raise WorkError("step train", "failed", "See its log")
        assert sys.stderr is terminal.stream
    assert terminal.codes.count("\x1b[?25l") == terminal.codes.count("\x1b[?25h") == 1
