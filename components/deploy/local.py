"""Runs the predictor on this machine, as it runs in its container."""

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from components.deploy.cluster.service import ServiceAddress
from components.deploy.smoke_test import SmokeTest
from components.errors import ServingError
from components.processes import free_port, log_tail, running_server

SMOKE = "smoke.json"
LOG = "predictor.log"

_log = logging.getLogger(__name__)
_HOST = "127.0.0.1"


def smoke_test_here(test: SmokeTest, model: Path, output: Path) -> None:
    """Start the predictor, smoke-test it, and write `predictor.log` and `smoke.json` to a folder.

    Raises:
        WorkError: If the predictor does not start, fails the test, or does not end cleanly.
    """
    _log.info("deploy: starting the predictor")
    options = ["--log-requests"]
    with running_predictor(model, test.model_name, output / LOG, options=options) as url:
        result = test.run(ServiceAddress(url))
    (output / SMOKE).write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")


@contextmanager
def running_predictor(
    model: Path,
    model_name: str,
    log: Path,
    start_seconds: float = 60.0,
    options: Sequence[str] = (),
) -> Iterator[str]:
    """Serve a model on a free loopback port for the duration of a block; yields the base URL.

    Args:
        model: Model folder.
        model_name: Name of the model in the URLs.
        log: File for the predictor's output.
        start_seconds: Longest time until the predictor is ready.
        options: Further options of the predictor.

    Raises:
        WorkError: If the predictor does not start, or does not end cleanly on SIGTERM; the
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
        raise ServingError("predictor", rule, f"See {log}")
