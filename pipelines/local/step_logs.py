"""The output of a local run, taken apart: a log and a duration per step, and a quiet display."""

import io
import re
import threading
import time
from pathlib import Path

from pipelines.local.display import Display

_STARTED = re.compile(r"Executing task .*'(?P<step>[\w-]+)'")
_FINISHED = re.compile(r"Task .*'(?P<step>[\w-]+)'.* finished with status .*(?P<status>[A-Z]{7})")
_REASON = re.compile(r"[\w.]+(?:Error|Exception|Interrupt): (?P<reason>.+)")


class StepLogs(io.TextIOBase):
    """A text stream that kfp.local prints to.

    The lines of a step go to its own file; its progress lines, which start with its name, are also
    shown.

    Args:
        folder: Receives `<step>.log`.
        shown: Receives the progress lines, and when steps start and end.
    """

    def __init__(self, folder: Path, shown: Display) -> None:
        folder.mkdir(parents=True)
        self.seconds: dict[str, float] = {}
        self.failed = ""
        self.reason = ""
        self._folder = folder
        self._shown = shown
        self._step = "pipeline"
        self._running = 0
        self._started = time.monotonic()
        self._rest = threading.local()
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        """Take a piece of output, and act on its whole lines."""
        # Parallel branches are threads: each finishes its own lines.
        *lines, self._rest.line = (getattr(self._rest, "line", "") + text).split("\n")
        with self._lock:
            for line in lines:
                self._take(line.removeprefix("    "))
        return len(text)

    def path(self, step: str) -> Path:
        """The log of a step."""
        return self._folder / f"{step}.log"

    def _take(self, line: str) -> None:
        if started := _STARTED.search(line):
            self._start(started["step"])
        with self.path(self._step).open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        # kfp indents a step's lines, and more so after parallel branches.
        said = line.strip()
        # Once a step has failed, only the exit handler follows.
        if not self.failed and (reason := _REASON.fullmatch(said)):
            self.reason = reason["reason"]
        if said.startswith(f"{self._step}: "):
            self._shown.say(f"  {said}")
        if finished := _FINISHED.search(line):
            self._finish(finished["step"], finished["status"])

    def _start(self, step: str) -> None:
        # Branches of a loop are one step that runs several times, in parallel or one after another.
        if step == self._step:
            self._running += 1
            return
        if self._running:
            # Of parallel branches kfp does not always say that the last one has finished.
            self._end()
        self._step, self._running = step, 1
        self._started = time.monotonic() - self.seconds.get(step, 0.0)
        if not self.failed:
            self.reason = ""
        self._shown.start(step)

    def _finish(self, step: str, status: str) -> None:
        self._running -= 1
        if status != "SUCCESS":
            self.failed = step
        if self._running == 0:
            self._end()

    def _end(self) -> None:
        """Close the step that is under way, after all of its branches."""
        step, self._running = self._step, 0
        self.seconds[step] = round(time.monotonic() - self._started, 1)
        self._shown.end(step, self.seconds[step], self.failed)
        self._step = "pipeline"
