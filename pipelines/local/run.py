"""A run of the main pipeline on this machine, and what it comes to in a few lines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.artifacts.evaluation import METRICS, Evaluation, read_evaluation
from components.artifacts.evaluation.comparison import MAJORITY, TFIDF
from components.artifacts.synthetic import LEDGER, SENTENCES, read_sentences, write_sentences
from components.evaluate.side_by_side.runs import DATASET, MODEL
from pipelines.emotion import emotion_for
from pipelines.local.runner import run_steps

# Results in a run folder, by the place where the steps leave them.
_RESULTS = {
    "merge/merged": DATASET,
    "merge/report": "data_report.html",
    "train/model": MODEL,
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
    try:
        seconds = run_steps(emotion_for, parameters, folder, _RESULTS)
    finally:
        _join_synthetic(sorted(artifacts.glob("*/**/generate/synthetic")), folder)
    (written,) = artifacts.glob("*/evaluate/evaluation")
    evaluation = read_evaluation(written)
    (folder / METRICS).write_text(evaluation.to_json(seconds=seconds), encoding="utf-8")
    return evaluation, seconds


def _join_synthetic(branches: Sequence[Path], folder: Path) -> None:
    done = [branch for branch in branches if (branch / SENTENCES).is_file()]
    write_sentences([row for branch in done for row in read_sentences(branch)], folder)
    with (folder / LEDGER).open("wb") as ledger:
        for part in (branch / LEDGER for branch in branches):
            if part.is_file():
                ledger.write(part.read_bytes())


def summary(evaluation: Evaluation, seconds: dict[str, float], folder: Path) -> str:
    """What a run came to: scores, comparisons, the gate's verdict, and where the results are."""
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
