"""Runs the pipeline on this machine: `python -m pipelines.local --params FILE`."""

import argparse
import contextlib
import json
import os
import shlex
import shutil
import sys
import warnings
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from kfp import local

from components.artifacts.synthetic import LEDGER, SENTENCES, read_sentences, write_sentences
from components.errors import InputError
from pipelines.compile.settings import CompileSettings
from pipelines.emotion import emotion_for
from pipelines.local.step_logs import StepLogs
from pipelines.parameters import read_parameters

_PARAMETERS = Path(__file__).parents[1] / "params" / "local.yaml"

# What a user looks for in a run folder, by where the steps leave it.
_RESULTS = {
    "merge/merged": "dataset",
    "merge/report": "data_report.html",
    "train/model": "emotion_lora_model",
    "evaluate/report": "report.html",
    "evaluate/card": "model_card.md",
    "deploy/deployment/inference_service.yaml": "inference_service.yaml",
    "deploy/deployment/smoke.json": "smoke.json",
    "outcome/record": "outcome.json",
}


def run_locally(parameters: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run the pipeline with kfp.local's SubprocessRunner.

    Args:
        parameters: A value for every pipeline parameter.
        folder: New folder for everything the run makes.

    Returns:
        The content of `metrics.json`.

    Raises:
        InputError: If a step fails; it names the step, the reason and the log.
    """
    artifacts = folder / "artifacts"
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(artifacts))
    logs = StepLogs(folder / "logs", sys.stdout)
    try:
        with contextlib.redirect_stdout(logs), warnings.catch_warnings():
            # kfp warns that a local run ignores images and resources, as it should.
            warnings.filterwarnings("ignore", module=r"kfp\.local")
            # Here a failed step has its reason in the log, and a retry would only wait.
            emotion_for(CompileSettings(retry=False))(**parameters)
    except RuntimeError as error:
        _collect(artifacts, folder)
        step = logs.failed or "pipeline"
        fix = f"See {logs.path(step)}; what earlier steps made is in {folder}"
        raise InputError(f"step {step}", f"failed: {logs.reason or error}", fix) from error
    _collect(artifacts, folder)
    return _write_metrics(artifacts, folder, logs.seconds)


def _collect(artifacts: Path, folder: Path) -> None:
    _join_synthetic(sorted(artifacts.glob("*/**/generate/synthetic")), folder)
    for inner, name in _RESULTS.items():
        for source in artifacts.glob(f"*/{inner}"):
            # Hard links: the results stand in the run folder without a second copy on disk.
            if source.is_dir():
                shutil.copytree(source, folder / name, copy_function=os.link)
            else:
                os.link(source, folder / name)


def _join_synthetic(branches: Sequence[Path], folder: Path) -> None:
    rows = [
        row
        for branch in branches
        if (branch / SENTENCES).is_file()
        for row in read_sentences(branch)
    ]
    write_sentences(rows, folder)
    with (folder / LEDGER).open("wb") as ledger:
        for branch in branches:
            if (branch / LEDGER).is_file():
                with (branch / LEDGER).open("rb") as part:
                    shutil.copyfileobj(part, ledger)


def _write_metrics(artifacts: Path, folder: Path, seconds: dict[str, float]) -> dict[str, Any]:
    (evaluation,) = artifacts.glob("*/evaluate/evaluation")
    metrics: dict[str, Any] = json.loads(evaluation.read_text(encoding="utf-8"))
    metrics["seconds"] = seconds
    text = json.dumps(metrics, indent=2) + "\n"
    (folder / "metrics.json").write_text(text, encoding="utf-8")
    return metrics


def _point_latest(folder: Path) -> None:
    link = folder.parent / "latest"
    draft = folder.parent / ".latest"
    draft.unlink(missing_ok=True)
    draft.symlink_to(folder.name)
    draft.replace(link)


def _summary(metrics: dict[str, Any], folder: Path) -> str:
    baselines = metrics["baselines"]
    lines = [
        ("", "accuracy", "macro-F1"),
        *(
            (name, f"{scores['accuracy']:.3f}", f"{scores['macro_f1']:.3f}")
            for name, scores in {
                "this model, test": metrics,
                "this model, validation": metrics["validation"],
                "TF-IDF, test": baselines["tfidf_logistic_regression"],
                "majority, test": baselines["majority"],
            }.items()
        ),
    ]
    table = [f"  {name:24}{accuracy:>10}{macro_f1:>10}" for name, accuracy, macro_f1 in lines]
    answers = [f"  {comparison['sentence']}" for comparison in metrics["comparisons"]]
    times = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in metrics["seconds"].items())
    rules = [rule["sentence"] for rule in metrics["gate"]["rules"] if not rule["passed"]]
    gate = "passed" if metrics["gate"]["passed"] else f"FAILED, nothing was deployed: {rules}"
    return "\n".join(
        [
            "",
            *table,
            "",
            *answers,
            "",
            f"  gate     {gate}",
            f"  seconds  {times}",
            f"  results  {folder}",
        ]
    )


def main() -> None:
    """Run the pipeline; exits with status 1 and a reason if a step fails."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--params", type=Path, default=_PARAMETERS, help="parameter set")
    parser.add_argument("--set", default="", help="overrides, `name=value name=value`")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of all runs")
    arguments = parser.parse_args()
    folder = arguments.runs.resolve() / datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    try:
        parameters = read_parameters(arguments.params, shlex.split(arguments.set))
        metrics = run_locally(parameters, folder)
    except InputError as error:
        sys.exit(f"\nrun: {error}")
    _point_latest(folder)
    print(_summary(metrics, folder))


if __name__ == "__main__":
    main()
