"""Ends a process group whose starter has died: a program that `components.processes` runs.

Its standard input is a pipe that nothing is ever written to. The kernel closes the starter's end
of it when the starter ends, however it ends.
"""

import os
import signal
import sys
import time
from contextlib import suppress

_POLL_SECONDS = 0.1


def main() -> None:
    """Wait for the end of standard input, then end a group: its id, and its grace in seconds."""
    group, grace_seconds = int(sys.argv[1]), float(sys.argv[2])
    sys.stdin.read()
    with suppress(ProcessLookupError):
        _end(group, grace_seconds)


def _end(group: int, grace_seconds: float) -> None:
    os.killpg(group, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        os.killpg(group, 0)
    os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
