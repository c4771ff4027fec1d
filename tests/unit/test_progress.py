"""The bar beneath the log lines of a step."""

import io
import logging
import sys
from unittest.mock import Mock

import pytest

from components.progress import log_handler
from tests.terminals import open_terminal

LINES = [
    "generate: 1/4 after 2 answers",
    "generate: 4/4 after 9 answers",
    "generate: done [x] :joy:",
]
DONE = [(1, 4), (4, 4), None]


def report(stream):
    """What a step logs: two lines that carry progress, and one that does not."""
    log = logging.Logger("step")
    handler = log_handler(stream)
    log.addHandler(handler)
    for line, done in zip(LINES, DONE, strict=True):
        log.info("%s", line, extra={"progress": done} if done else None)
    handler.close()


@pytest.fixture(autouse=True)
def terminal_of_a_person(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_what_is_no_terminal_gets_the_lines_alone():
    stream = io.StringIO()
    report(stream)
    assert stream.getvalue().splitlines() == LINES


def test_a_terminal_gets_the_lines_and_a_bar():
    with open_terminal() as terminal:
        report(terminal.stream)
    for line in LINES:
        assert f"\n{line}" in f"\n{terminal.said}"
    assert "1/4" in terminal.said.replace(LINES[0], "")
    assert "━" in terminal.said


def test_the_cursor_comes_back_although_the_work_was_cut_off():
    with open_terminal() as terminal:
        handler = log_handler(terminal.stream)
        record = logging.makeLogRecord({"msg": "train: step 1/9", "progress": (1, 9)})
        handler.handle(record)
        handler.close()
    assert terminal.codes.count("\x1b[?25l") == terminal.codes.count("\x1b[?25h") == 1


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_that_wants_no_colour_gets_none(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with open_terminal() as terminal:
        report(terminal.stream)
    assert not [code for code in terminal.codes if code.endswith("m") and ";" in code]
    assert LINES[0] in terminal.said


def test_without_rich_a_terminal_gets_the_lines_alone(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    with open_terminal() as terminal:
        report(terminal.stream)
    assert terminal.raw.decode().splitlines() == LINES


def test_work_goes_on_without_its_terminal(monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    with open_terminal() as terminal:
        handler = log_handler(terminal.stream)
        monkeypatch.setattr(terminal.stream, "write", Mock(side_effect=OSError("gone")))
        handler.handle(logging.makeLogRecord({"msg": "train: step 1/9", "progress": (1, 9)}))
        monkeypatch.undo()
        handler.close()
