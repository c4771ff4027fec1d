"""A stand-in for KFP's launcher, which wraps the command of a step in its pod.

It copies input artifacts from object storage to where KFP's executor looks for them, runs the
step's own command unchanged and, if that succeeds, copies what it has made. It cannot show how
KFP's driver computes the inputs, caches and retries; `make test-kubeflow` runs the pipeline on a
Kubeflow. It runs inside the images, by its text, so it imports nothing of the tests.

Source: LocalPathForURI and executeV2 in kubeflow/pipelines, backend/src/v2/component/launcher_v2.go
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import s3fs

# Its own keys and endpoint, which the step does not see: KFP's launcher reads them from a secret.
_KEY, _SECRET, _ENDPOINT = (os.environ.pop(f"LAUNCHER_{each}") for each in ("KEY", "SECRET", "URL"))


def main() -> None:
    """Run the command in the arguments around its artifacts."""
    command = sys.argv[1:]
    given = json.loads(command[command.index("--executor_input") + 1])
    files = s3fs.S3FileSystem(key=_KEY, secret=_SECRET, endpoint_url=_ENDPOINT)
    for remote, local in _artifacts(given["inputs"]):
        local.parent.mkdir(parents=True, exist_ok=True)
        # An artifact that a step has not written is no object at all.
        if files.exists(remote):
            files.get(remote, str(local), recursive=files.isdir(remote))
    for _, local in _artifacts(given["outputs"]):
        local.parent.mkdir(parents=True, exist_ok=True)
    status = subprocess.run(command, check=False).returncode
    if status:
        sys.exit(status if status > 0 else 128 - status)
    for remote, local in _artifacts(given["outputs"]):
        if local.exists():
            files.put(str(local), remote, recursive=local.is_dir())
    told = Path(given["outputs"]["outputFile"])
    results = json.loads(told.read_text()) if told.exists() else {}
    print("outputs:", json.dumps(results.get("parameterValues", {})), flush=True)  # noqa: T201


def _artifacts(side: dict) -> list[tuple[str, Path]]:
    uris = [
        artifact["uri"].removeprefix("s3://")
        for each in side.get("artifacts", {}).values()
        for artifact in each["artifacts"]
    ]
    return [(uri, Path("/s3") / uri) for uri in uris]


main()
