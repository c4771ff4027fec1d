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
    gate: str,
    registry: str,
    evaluate_options: dict[str, object],
    seed: int,
    champion_generation: str,  # noqa: ARG001
) -> str:
    """Score the model on unseen rows; returns the gate's verdict, `pass` or `fail`.

    The registry says which model is in service; by the generation of its champion KFP's cache sees
    that it is another one.
    """
    from pathlib import Path

    from components.command_line import start_logging
    from components.evaluate.run import evaluate
    from components.evaluate.settings import EvaluateSettings
    from components.options import with_options

    start_logging()
    settings = with_options(
        EvaluateSettings, evaluate_options, task=task, gate=gate, registry=registry, seed=seed
    )
    result = evaluate(
        settings,
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
    return "pass" if result.passed else "fail"
