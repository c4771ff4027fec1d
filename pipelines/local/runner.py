"""A pipeline run with kfp.local's SubprocessRunner, and its results as a run folder."""

import contextlib
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp import local

from components.errors import WorkError
from pipelines.compile.settings import CompileSettings
from pipelines.local.display import display
from pipelines.local.step_logs import StepLogs


def run_steps(
    build: Callable[[CompileSettings], Any],
    parameters: Mapping[str, Any],
    folder: Path,
    results: Mapping[str, str],
) -> dict[str, float]:
    """Run a pipeline, and collect its results whether or not it succeeds.

    Args:
        build: Makes the pipeline.
        parameters: A value for every pipeline parameter.
        folder: New folder for everything that the run writes.
        results: Names in that folder, by the place where the steps leave them.

    Returns:
        The seconds of each step.

    Raises:
        WorkError: If a step fails; it names the step, the reason and the log.
    """
    artifacts = folder / "artifacts"
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(artifacts))
    # Here a failed step has its reason in the log, and a retry would only wait.
    pipeline = build(CompileSettings(retry=False))
    spec = json_format.MessageToDict(pipeline.pipeline_spec)
    with display(list(_steps(spec, spec["root"]["dag"]))) as shown:
        logs = StepLogs(folder / "logs", shown)
        try:
            with contextlib.redirect_stdout(logs), warnings.catch_warnings():
                # kfp warns that a local run ignores images and resources, as it should.
                warnings.filterwarnings("ignore", module=r"kfp\.local")
                pipeline(**parameters)
        except RuntimeError as error:
            step = logs.failed or "pipeline"
            fix = f"See {logs.path(step)}; the results of earlier steps are in {folder}"
            raise WorkError(f"step {step}", f"failed: {logs.reason or error}", fix) from error
        finally:
            _collect(artifacts, folder, results)
    return logs.seconds


def _collect(artifacts: Path, folder: Path, results: Mapping[str, str]) -> None:
    for inner, name in results.items():
        for source in artifacts.glob(f"*/{inner}"):
            # Hard links: the results are in the run folder without a second copy on disk.
            if source.is_dir():
                shutil.copytree(source, folder / name, copy_function=os.link)
            else:
                os.link(source, folder / name)


def _steps(spec: Mapping[str, Any], dag: Mapping[str, Any]) -> Iterator[str]:
    """The names of a pipeline's steps, in order."""
    tasks = dag["tasks"]
    before = {name: tasks[name].get("dependentTasks", ()) for name in tasks}
    for name in TopologicalSorter(before).static_order():
        component = spec["components"][tasks[name]["componentRef"]["name"]]
        if "dag" in component:
            yield from _steps(spec, component["dag"])
        else:
            yield name
