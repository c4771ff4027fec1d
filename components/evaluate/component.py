"""KFP face of the evaluate step."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/evaluate", install_kfp_package=False)
def evaluate(
    model: dsl.Input[dsl.Model],
    real_only: dsl.Input[dsl.Model],
    merged: dsl.Input[dsl.Dataset],
    evaluation: dsl.Output[dsl.Artifact],
    scores: dsl.Output[dsl.Metrics],
    confusion: dsl.Output[dsl.ClassificationMetrics],
    report: dsl.Output[dsl.HTML],
    card: dsl.Output[dsl.Artifact],
    task: str,
    evaluate_gate: str,
    deploy_registry: str,
    evaluate_options: dict[str, object],
    seed: int,
    champion_generation: str,  # noqa: ARG001 (part of the cache key: another champion, another key)
) -> str:
    """Score the model on unseen rows; returns the gate's verdict, `pass` or `fail`."""
    from pathlib import Path

    from components.command_line import start_logging
    from components.evaluate.run import evaluate
    from components.evaluate.settings import EvaluateSettings
    from components.options import settings_of

    start_logging()
    result = evaluate(
        settings_of(
            EvaluateSettings,
            task=task,
            evaluate_gate=evaluate_gate,
            deploy_registry=deploy_registry,
            evaluate_options=evaluate_options,
            seed=seed,
        ),
        model=Path(model.path),
        dataset=Path(merged.path),
        evaluation=Path(evaluation.path),
        report=Path(report.path),
        card=Path(card.path),
        real_only=Path(real_only.path),
    )
    for name, value in result.figures().items():
        scores.log_metric(name, value)
    matrix = [list(row) for row in result.test.confusion_matrix]
    confusion.log_confusion_matrix(list(result.labels), matrix)
    return "pass" if result.verdict.passed else "fail"
