"""Takes a local run's output apart: a log a step, its duration, and a quiet console."""

import io
import re
import time
from pathlib import Path
from typing import TextIO

_STARTED = re.compile(r"Executing task .*'(?P<step>[\w-]+)'")
_FINISHED = re.compile(r"Task .*'(?P<step>[\w-]+)'.* finished with status .*(?P<status>[A-Z]{7})")
_REASON = re.compile(r"[\w.]+(?:Error|Exception|Interrupt): (?P<reason>.+)")


class StepLogs(io.TextIOBase):
    """A text stream that kfp.local prints to.

    Every step's lines go to a file of its own; its progress lines, which start with its name,
    also go to the console.

    Args:
        folder: Takes `<step>.log`.
        console: Where people look.
    """

    def __init__(self, folder: Path, console: TextIO) -> None:
        folder.mkdir(parents=True)
        self.seconds: dict[str, float] = {}
        self.failed = ""
        self.reason = ""
        self._folder = folder
        self._console = console
        self._step = "pipeline"
        self._started = time.monotonic()
        self._line = ""

    def write(self, text: str) -> int:
        """Take a piece of output; it is acted on line by line."""
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._take(line.removeprefix("    "))
        return len(text)

    def path(self, step: str) -> Path:
        """The log of a step."""
        return self._folder / f"{step}.log"

    def _take(self, line: str) -> None:
        if started := _STARTED.search(line):
            self._step, self._started, self.reason = started["step"], time.monotonic(), ""
            self._say(f"> {self._step}")
        with self.path(self._step).open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        if reason := _REASON.fullmatch(line):
            self.reason = reason["reason"]
        if line.startswith(f"{self._step}: "):
            self._say(f"  {line}")
        if finished := _FINISHED.search(line):
            self._finish(finished["step"], finished["status"])

    def _finish(self, step: str, status: str) -> None:
        self.seconds[step] = round(time.monotonic() - self._started, 1)
        if status == "SUCCESS":
            self._say(f"  {step}: done in {self.seconds[step]:.0f} s")
        else:
            self.failed = step
        self._step = "pipeline"

    def _say(self, line: str) -> None:
        self._console.write(line + "\n")
        self._console.flush()
