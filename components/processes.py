"""Servers that a step starts for itself and stops when it is done."""

import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from components.errors import InputError

_log = logging.getLogger(__name__)
_LOOPBACK = "127.0.0.1"
_GRACE_SECONDS = 20.0


def free_port() -> int:
    """A loopback TCP port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(
    command: Sequence[str], ready_url: str, log: Path, start_seconds: float
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for the length of a block.

    Args:
        command: Program and arguments.
        ready_url: Answers 200 once the server can work.
        log: File that takes the server's output; it is kept.
        start_seconds: How long the server may take until it is ready.

    Raises:
        InputError: If there is no such program, or the server ends or is not ready in
            time; the message holds the last lines of its log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(  # noqa: S603
                command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        except FileNotFoundError as error:
            raise InputError(f"program {command[0]}", "is not installed", "Install it") from error
    try:
        _wait_until_ready(process, ready_url, log, start_seconds)
        yield process
    finally:
        _stop(process)


def log_tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log, on one line."""
    return " | ".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _wait_until_ready(
    process: subprocess.Popen[bytes], url: str, log: Path, start_seconds: float
) -> None:
    name = f"server {Path(str(process.args[0])).name}"  # type: ignore[index]
    deadline = time.monotonic() + start_seconds
    while time.monotonic() < deadline:
        if (status := process.poll()) is not None:
            rule = f"ended with status {status} before it was ready: {log_tail(log)}"
            raise InputError(name, rule, f"See {log}")
        if _answers(url):
            return
        time.sleep(0.1)
    rule = f"was not ready within {start_seconds:g} s: {log_tail(log)}"
    raise InputError(name, rule, f"See {log}")


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        _log.warning("server %s ignored SIGTERM and is killed", process.pid)
        # The whole session: vLLM's engine is a process of its own and would stay on the GPU.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
