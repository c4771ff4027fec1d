"""KFP faces of the predict step: plan, predict a share of the parts, report on all of them."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/evaluate", install_kfp_package=False)
def predict_plan(
    run_id: str,
    predict_input: str,
    predict_output: str,
    predict_shards: int,
    deploy_registry: str,
    predict_options: dict[str, object],
) -> list[dict[str, object]]:
    """Fail with every reason why the run would fail later; returns what each shard must know."""
    from components.command_line import start_logging
    from components.options import settings_of
    from components.predict.run import plan
    from components.predict.settings import PredictSettings

    start_logging()
    settings = settings_of(
        PredictSettings,
        predict_input=predict_input,
        predict_output=predict_output,
        predict_shards=predict_shards,
        deploy_registry=deploy_registry,
        predict_options=predict_options,
    )
    shards = plan(settings, run_id).shards(settings.shards)
    return [{"shard": shard, "shards": shards} for shard in range(shards)]


@dsl.component(base_image="emotion-pipeline/evaluate", install_kfp_package=False)
def predict_shard(
    counted: dsl.Output[dsl.Artifact],
    figures: dsl.Output[dsl.Metrics],
    share: dict[str, object],
    predict_input: str,
    predict_output: str,
    deploy_registry: str,
    predict_options: dict[str, object],
) -> None:
    """Score the parts of a shard that are not there yet."""
    import json
    from pathlib import Path

    from components.command_line import start_logging
    from components.options import of_type, settings_of
    from components.predict.run import predict
    from components.predict.settings import PredictSettings

    start_logging()
    tally = predict(
        settings_of(
            PredictSettings,
            predict_input=predict_input,
            predict_output=predict_output,
            deploy_registry=deploy_registry,
            predict_options=predict_options,
        ),
        shard=of_type("shard", share["shard"], int),
        shards=of_type("shards", share["shards"], int),
    )
    Path(counted.path).write_text(json.dumps(tally.figures()), encoding="utf-8")
    for name, value in tally.figures().items():
        figures.log_metric(name, value)


@dsl.component(base_image="emotion-pipeline/evaluate", install_kfp_package=False)
def predict_report(
    shards: dsl.Input[list[dsl.Artifact]],  # noqa: ARG001 (the report waits for them)
    predictions: dsl.Output[dsl.Dataset],
    figures: dsl.Output[dsl.Metrics],
    report: dsl.Output[dsl.HTML],
    predict_input: str,
    predict_output: str,
    deploy_registry: str,
    predict_options: dict[str, object],
) -> None:
    """Write the manifest of all parts, and the report page."""
    from pathlib import Path

    from components.command_line import start_logging
    from components.options import settings_of
    from components.predict.run import report as write_report
    from components.predict.settings import PredictSettings

    start_logging()
    result = write_report(
        settings_of(
            PredictSettings,
            predict_input=predict_input,
            predict_output=predict_output,
            deploy_registry=deploy_registry,
            predict_options=predict_options,
        ),
        manifest=Path(predictions.path),
        page=Path(report.path),
    )
    predictions.metadata.update(place=predict_output, rows=result.tally.rows)
    for name, value in result.figures().items():
        figures.log_metric(name, value)
