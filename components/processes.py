"""Servers that a step starts for itself and stops afterwards."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from components import orphan_guard
from components.errors import InputError, WorkError

_log = logging.getLogger(__name__)
_LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Find a loopback TCP port that is free at the moment."""
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(
    command: Sequence[str],
    ready_url: str,
    log: Path,
    start_seconds: float,
    grace_seconds: float = 20.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for the duration of a block; it ends even if this process is killed.

    Args:
        command: Program and arguments.
        ready_url: Answers 200 as soon as the server is ready.
        log: File for the server's output; it is kept.
        start_seconds: Longest time until the server is ready.
        grace_seconds: Longest time between SIGTERM and the server's end; then it is killed.

    Raises:
        InputError: If the program is not installed.
        WorkError: If the server ends, or is not ready in time; the message holds the last lines
            of its log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(  # noqa: S603
                command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        except FileNotFoundError as error:
            raise InputError(f"program {command[0]}", "is not installed", "Install it") from error
    with tied(process, grace_seconds):
        try:
            _wait_until_ready(process, ready_url, log, start_seconds)
            yield process
        finally:
            _stop(process, grace_seconds)


@contextmanager
def tied(process: subprocess.Popen[Any], grace_seconds: float) -> Iterator[None]:
    """Have a process end if this one does within a block, also if this one is killed.

    Args:
        process: It leads a group of its own, which ends with it.
        grace_seconds: Longest time between SIGTERM and its end; then the group is killed.
    """
    # Not PR_SET_PDEATHSIG: Linux alone has it, it minds threads, and it spares grandchildren.
    guard = [sys.executable, "-I", "-S", orphan_guard.__file__]
    with subprocess.Popen(  # noqa: S603
        [*guard, str(process.pid), str(grace_seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # What is done to the group of this process must not be done to the guard.
        start_new_session=True,
    ) as watching:
        try:
            yield
        finally:
            watching.kill()


def log_tail(log: Path, lines: int = 20) -> str:
    """Join the last lines of a log into one line."""
    return " | ".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _wait_until_ready(
    process: subprocess.Popen[bytes], url: str, log: Path, start_seconds: float
) -> None:
    name = f"server {Path(str(process.args[0])).name}"  # type: ignore[index]
    deadline = time.monotonic() + start_seconds
    while time.monotonic() < deadline:
        if (status := process.poll()) is not None:
            rule = f"ended with status {status} before it was ready: {log_tail(log)}"
            raise WorkError(name, rule, f"See {log}")
        if _answers(url):
            return
        time.sleep(0.1)
    rule = f"was not ready within {start_seconds:g} s: {log_tail(log)}"
    raise WorkError(name, rule, f"See {log}")


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _stop(process: subprocess.Popen[bytes], grace_seconds: float) -> None:
    process.terminate()
    try:
        process.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        _log.warning("server %s ignored SIGTERM and is killed", process.pid)
        # The whole session: vLLM's engine is a separate process and would stay on the GPU.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
