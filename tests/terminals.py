"""A terminal, and what is shown on it."""

import contextlib
import fcntl
import os
import re
import struct
import termios
import threading
from dataclasses import dataclass, field
from typing import TextIO

_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Terminal:
    """A pseudo-terminal of 100 columns: `stream` writes to it, and `said` is what it has got."""

    stream: TextIO
    raw: bytearray = field(default_factory=bytearray)

    @property
    def codes(self):
        """The control sequences: colours, movements of the cursor."""
        return _CODES.findall(self.raw.decode())

    @property
    def said(self):
        """The text without control sequences, its lines apart."""
        return _CODES.sub("", self.raw.decode()).replace("\r", "\n")


@contextlib.contextmanager
def open_terminal():
    """A terminal; all that was written to it is there when the block has ended."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    terminal = Terminal(os.fdopen(slave, "w", encoding="utf-8"))
    reader = threading.Thread(target=_read, args=(master, terminal.raw))
    reader.start()
    try:
        yield terminal
    finally:
        terminal.stream.close()
        reader.join(10)
        os.close(master)


def _read(master, into):
    # The last writer's end is an error here.
    with contextlib.suppress(OSError):
        while part := os.read(master, 65536):
            into.extend(part)
