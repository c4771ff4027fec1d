"""What a local run shows: lines, and at a terminal also which steps are done, running and left."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.table import Table

_STYLES = {"done": "green", "failed": "red", "running": "bold", "left": "dim"}


class Display:
    """Shows a run as lines.

    Args:
        output: Receives them.
    """

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def say(self, line: str) -> None:
        """Show a line."""
        self._output.write(line + "\n")
        self._output.flush()

    def start(self, step: str) -> None:
        """Show that a step runs from now on."""
        self.say(f"> {step}")

    def end(self, step: str, seconds: float, failed: str = "") -> None:
        """Show that a step has ended; `failed` names the one that ended the run, if one has."""
        if not failed:
            self.say(f"  {step}: done in {seconds:.0f} s")


class LiveDisplay(Display):
    """Shows lines, and below them at a terminal the steps with their times.

    Args:
        output: Receives the lines.
        terminal: Receives the steps.
        steps: Names of all steps, in order.
    """

    def __init__(self, output: TextIO, terminal: TextIO, steps: Sequence[str]) -> None:
        super().__init__(output)
        from rich.console import Console
        from rich.live import Live

        self._steps = steps
        self._ended: dict[str, tuple[str, float]] = {}
        self._running, self._started = "", 0.0
        console = Console(file=terminal, highlight=False, markup=False, emoji=False)
        self.live = Live(
            console=console,
            get_renderable=self._table,
            refresh_per_second=4,
            transient=True,
            redirect_stdout=False,
        )

    def say(self, line: str) -> None:
        """Show a line, above the steps if it goes to a terminal."""
        if self._output.isatty():
            self.live.console.print(line, soft_wrap=True)
        else:
            super().say(line)

    def start(self, step: str) -> None:
        """Start the clock of a step."""
        self._running, self._started = step, time.monotonic()
        super().start(step)
        self.live.refresh()

    def end(self, step: str, seconds: float, failed: str = "") -> None:
        """Stop the clock of a step."""
        self._running = ""
        self._ended[step] = ("failed" if step == failed else "done", seconds)
        super().end(step, seconds, failed)
        self.live.refresh()

    def _table(self) -> "Table":
        from rich.table import Table

        table = Table.grid(padding=(0, 1))
        for step in self._steps:
            state, seconds = self._ended.get(step, ("left", 0.0))
            if step == self._running:
                state, seconds = "running", time.monotonic() - self._started
            taken = "" if state == "left" else f"{seconds:.0f} s"
            table.add_row(f"{state:7}", step, taken, style=_STYLES[state])
        return table


@contextmanager
def display(steps: Sequence[str]) -> Iterator[Display]:
    """Lines on standard output, and with rich the steps where standard error is a terminal.

    Args:
        steps: Names of all steps, in order.
    """
    if not (sys.stderr.isatty() and find_spec("rich")):
        yield Display(sys.stdout)
        return
    shown = LiveDisplay(sys.stdout, sys.stderr, steps)
    # What follows the steps says what the run came to, and they are removed.
    with shown.live:
        yield shown
