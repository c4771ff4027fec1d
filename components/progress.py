"""Progress of a step at a terminal: a bar beneath its log lines.

Any log record may carry `extra={"progress": (done, total)}`. Whoever logs knows of no terminal.
"""

import logging
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress


def log_handler(stream: TextIO) -> logging.Handler:
    """A handler that writes lines, and at a terminal where rich is installed a bar as well."""
    is_shown = stream.isatty() and find_spec("rich")
    return _LinesAndBar(stream) if is_shown else logging.StreamHandler(stream)


class _LinesAndBar(logging.Handler):
    """Writes lines to a terminal, and below them how much of the work is done."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        from rich.console import Console

        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._bar: Progress | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, and draw the bar anew."""
        try:
            self._console.print(self.format(record), soft_wrap=True)
            if progress := getattr(record, "progress", None):
                self._draw(*progress)
        except OSError:
            # Work goes on without its terminal.
            self.handleError(record)

    def flush(self) -> None:
        """Remove the bar: the work has ended, whatever it has come to."""
        if self._bar:
            self._bar.stop()
        self._bar = None

    def close(self) -> None:
        """Leave the terminal in order."""
        self.flush()
        super().close()

    def _draw(self, done: int, total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

        if done >= total:
            self.flush()
        elif not self._bar:
            columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            # Drawn by the thread that logs: another one's lock would not survive a fork.
            self._bar = Progress(
                *columns,
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=sys.stdout.isatty(),
            )
            self._bar.add_task("", total=total, completed=done)
            self._bar.start()
        else:
            self._bar.update(self._bar.task_ids[0], completed=done, total=total, refresh=True)
