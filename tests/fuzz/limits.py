"""Bounds of what one input may cost, for tests in their own process."""

import resource
import signal
from contextlib import contextmanager
from pathlib import Path

_MORE_BYTES = 4 * 2**30


@contextmanager
def bounded(seconds: int = 30):
    """Fail what takes longer than that, or 4 GiB more memory."""

    def stop(*_):
        raise TimeoutError(f"it takes longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    memory = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + _MORE_BYTES
    signal.alarm(seconds)
    resource.setrlimit(resource.RLIMIT_AS, (most, memory[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, memory)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
