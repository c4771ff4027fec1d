"""Runs the predictor on this machine, as it runs in its container."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from components.errors import InputError
from components.processes import free_port, log_tail, running_server

_HOST = "127.0.0.1"
_START_SECONDS = 60.0


@contextmanager
def running_predictor(
    model: Path,
    model_name: str,
    log: Path,
    start_seconds: float = _START_SECONDS,
    options: Sequence[str] = (),
) -> Iterator[str]:
    """Serve a model on a free loopback port for the length of a block; yields the base URL.

    Args:
        model: Model folder.
        model_name: Name of the model in the URLs.
        log: File that takes the predictor's output.
        start_seconds: How long the predictor may take until it is ready.
        options: Further options of the predictor.

    Raises:
        InputError: If the predictor does not start, or does not end cleanly on SIGTERM; the
            message holds the last lines of its log.
    """
    port = free_port()
    url = f"http://{_HOST}:{port}"
    command = [sys.executable, "-m", "components.serve"]
    command += ["--model-dir", str(model), "--model-name", model_name]
    command += ["--host", _HOST, "--http-port", str(port), "--drain-seconds", "0", *options]
    with running_server(command, f"{url}/v2/health/ready", log, start_seconds) as process:
        yield url
    if process.returncode != 0:
        rule = f"ended with status {process.returncode} on SIGTERM: {log_tail(log)}"
        raise InputError("predictor", rule, f"See {log}")
