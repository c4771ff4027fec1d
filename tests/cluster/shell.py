"""The commands that a user would type, in the namespace of a test."""

import os
import subprocess
import sys
from pathlib import Path

from kubernetes import client

from tests.cluster.stage import Stage
from tests.evaluations import write_evaluation


def command(stage: Stage, action: str, *arguments: str) -> list[str]:
    """The command that a user would type."""
    values = [f"ready_seconds={stage.settings.ready_seconds}", "endpoint_seconds=10"]
    options = [f"--set={each}" for each in [*values, "max_latency_ms=10000"]]
    return [sys.executable, "-m", "components.deploy", action, *options, *arguments]


def deploy_command(
    stage: Stage, name: str, folder: Path, *arguments: str, generation: int = 0
) -> list[str]:
    """The command that deploys a model, compared with the champion of this generation."""
    model = stage.models[name]
    options = {
        "--model": model.folder,
        "--model-uri": model.uri,
        "--evaluation": write_evaluation(folder / f"{name}.json", generation=generation),
        "--run": name,
        "--output": folder,
    }
    words = [str(word) for pair in options.items() for word in pair]
    return command(stage, "deploy", *words, *arguments)


def environment(stage: Stage) -> dict[str, str]:
    return {**os.environ, "KUBECONFIG": str(stage.kubeconfig)}


def run(stage: Stage, words: list[str]) -> subprocess.CompletedProcess:
    return subprocess.run(
        words, env=environment(stage), capture_output=True, text=True, timeout=120, check=False
    )


def expire_lease(stage: Stage) -> None:
    """Make the lease look as if its holder had died long ago."""
    body = {"spec": {"renewTime": "2026-01-01T00:00:00.000000Z"}}
    leases = client.CoordinationV1Api(stage.server.api("admin"))
    leases.patch_namespaced_lease("emotion-deploy", stage.namespace, body)
