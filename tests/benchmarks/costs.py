"""What a process costs, from its start to its end."""

import os
import subprocess
import sys
import time
from typing import NamedTuple


class Cost(NamedTuple):
    """What a process has taken: seconds, those of all cores, and its peak memory in MB."""

    seconds: float
    cpu: float
    memory: float


def run(*arguments: object) -> Cost:
    """Run `python -m` with arguments to its end."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", *map(str, arguments)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(time.perf_counter() - begun, cpu, usage.ru_maxrss / 1024)
