"""Run the pipeline on this machine: `python -m pipelines.local --params FILE`."""

import argparse
import contextlib
import os
import shutil
import sys
import warnings
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from kfp import local

from components.artifacts.evaluation import METRICS, Evaluation, read_evaluation
from components.artifacts.evaluation.comparison import MAJORITY, TFIDF
from components.artifacts.synthetic import LEDGER, SENTENCES, read_sentences, write_sentences
from components.command_line import add_set_option, errors_as_exit
from components.errors import WorkError
from pipelines.compile.settings import CompileSettings
from pipelines.emotion import emotion_for
from pipelines.local.step_logs import StepLogs
from pipelines.parameters import read_parameters

_PARAMETERS = Path(__file__).parents[1] / "params" / "local.yaml"

# Results in a run folder, by the place where the steps leave them.
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


def run_locally(parameters: dict[str, Any], folder: Path) -> tuple[Evaluation, dict[str, float]]:
    """Run the pipeline with kfp.local's SubprocessRunner.

    Args:
        parameters: A value for every pipeline parameter.
        folder: New folder for everything that the run writes.

    Returns:
        The evaluation of the model, and the seconds of each step.

    Raises:
        WorkError: If a step fails; it names the step, the reason and the log.
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
        fix = f"See {logs.path(step)}; the results of earlier steps are in {folder}"
        raise WorkError(f"step {step}", f"failed: {logs.reason or error}", fix) from error
    _collect(artifacts, folder)
    (written,) = artifacts.glob("*/evaluate/evaluation")
    evaluation = read_evaluation(written)
    (folder / METRICS).write_text(evaluation.to_json(seconds=logs.seconds), encoding="utf-8")
    return evaluation, logs.seconds


def _collect(artifacts: Path, folder: Path) -> None:
    _join_synthetic(sorted(artifacts.glob("*/**/generate/synthetic")), folder)
    for inner, name in _RESULTS.items():
        for source in artifacts.glob(f"*/{inner}"):
            # Hard links: the results are in the run folder without a second copy on disk.
            if source.is_dir():
                shutil.copytree(source, folder / name, copy_function=os.link)
            else:
                os.link(source, folder / name)


def _join_synthetic(branches: Sequence[Path], folder: Path) -> None:
    done = [branch for branch in branches if (branch / SENTENCES).is_file()]
    write_sentences([row for branch in done for row in read_sentences(branch)], folder)
    with (folder / LEDGER).open("wb") as ledger:
        for part in (branch / LEDGER for branch in branches):
            if part.is_file():
                ledger.write(part.read_bytes())


def _point_latest(folder: Path) -> None:
    draft = folder.parent / ".latest"
    draft.unlink(missing_ok=True)
    draft.symlink_to(folder.name)
    draft.replace(folder.parent / "latest")


def _summary(evaluation: Evaluation, seconds: dict[str, float], folder: Path) -> str:
    scores = {
        "this model, test": evaluation.test,
        "this model, validation": evaluation.validation,
        "TF-IDF, test": evaluation.baselines[TFIDF],
        "majority, test": evaluation.baselines[MAJORITY],
    }
    table = [f"  {'':24}{'accuracy':>10}{'macro-F1':>10}"] + [
        f"  {name:24}{each.accuracy:>10.3f}{each.macro_f1:>10.3f}" for name, each in scores.items()
    ]
    answers = [f"  {comparison.sentence}" for comparison in evaluation.comparisons]
    broken = " ".join(rule.sentence for rule in evaluation.verdict.broken)
    gate = "passed" if evaluation.passed else f"FAILED, nothing was deployed. {broken}"
    times = ", ".join(f"{step} {taken:.0f} s" for step, taken in seconds.items())
    ending = [f"  gate     {gate}", f"  seconds  {times}", f"  results  {folder}"]
    return "\n".join(["", *table, "", *answers, "", *ending])


def main() -> None:
    """Run the pipeline; exit with status 1 and a reason if a step fails."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.local", description=__doc__)
    parser.add_argument("--params", type=Path, default=_PARAMETERS, help="parameter set")
    add_set_option(parser)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of all runs")
    arguments = parser.parse_args()
    folder = arguments.runs.resolve() / datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    with errors_as_exit("run"):
        evaluation, seconds = run_locally(read_parameters(arguments.params, arguments.set), folder)
    _point_latest(folder)
    print(_summary(evaluation, seconds, folder))


if __name__ == "__main__":
    main()
