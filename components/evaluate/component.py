"""KFP face of the evaluate step."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/evaluate", install_kfp_package=False)
def evaluate(
    model: dsl.Input[dsl.Model],
    merged: dsl.Input[dsl.Dataset],
    evaluation: dsl.Output[dsl.Artifact],
    scores: dsl.Output[dsl.Metrics],
    confusion: dsl.Output[dsl.ClassificationMetrics],
    report: dsl.Output[dsl.HTML],
    task: str,
    min_accuracy: float,
    min_macro_f1: float,
    seed: int,
) -> str:
    """Score the model on unseen rows; returns the gate's verdict, `pass` or `fail`."""
    import json
    from pathlib import Path

    from components.evaluate.run import evaluate
    from components.evaluate.settings import EvaluateSettings
    from components.logs import start_logging

    start_logging()
    settings = EvaluateSettings(
        task=task, min_accuracy=min_accuracy, min_macro_f1=min_macro_f1, seed=seed
    )
    result = evaluate(settings, Path(model.path), Path(merged.path), Path(report.path))
    metrics = result.to_metrics()
    Path(evaluation.path).write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    scores.log_metric("accuracy", metrics["accuracy"])
    scores.log_metric("macro_f1", metrics["macro_f1"])
    confusion.log_confusion_matrix(metrics["labels"], metrics["confusion_matrix"])
    return "pass" if result.verdict.passed else "fail"
