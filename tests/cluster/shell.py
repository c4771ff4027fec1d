"""The commands that a user would type, in the namespace of a test."""

import json
import os
import subprocess
import sys
from pathlib import Path

from kubernetes import client

from tests.cluster.conftest import Stage


def command(stage: Stage, action: str, *arguments: str) -> list[str]:
    """The command that a user would type."""
    values = [f"ready_seconds={stage.settings.ready_seconds}", "endpoint_seconds=10"]
    options = [f"--set={each}" for each in [*values, "max_latency_ms=10000"]]
    return [sys.executable, "-m", "components.deploy", action, *options, *arguments]


def deploy_command(
    stage: Stage, name: str, folder: Path, *arguments: str, generation: int = 0
) -> list[str]:
    """The command that deploys a model, compared with the champion of this generation."""
    metrics = folder / f"{name}-{generation}.json"
    scores = {"accuracy": 0.9, "macro_f1": 0.8, "gate": {"passed": True}}
    metrics.write_text(json.dumps(scores | {"champion": {"generation": generation}}))
    model = stage.models[name]
    given = {"--model": model.folder, "--metrics": metrics, "--run": name, "--output": folder}
    words = [str(word) for pair in given.items() for word in pair]
    return command(stage, "deploy", *words, "--model-uri", model.uri, *arguments)


def environment(stage: Stage) -> dict[str, str]:
    return {**os.environ, "KUBECONFIG": str(stage.kubeconfig)}


def run(stage: Stage, words: list[str]) -> subprocess.CompletedProcess:
    return subprocess.run(
        words, env=environment(stage), capture_output=True, text=True, timeout=120, check=False
    )


def expire_lease(stage: Stage) -> None:
    """As if the dead holder had last been heard of long ago."""
    body = {"spec": {"renewTime": "2026-01-01T00:00:00.000000Z"}}
    leases = client.CoordinationV1Api(stage.server.api("admin"))
    leases.patch_namespaced_lease("emotion-deploy", stage.namespace, body)
