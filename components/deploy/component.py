"""KFP face of the deploy step."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/deploy", install_kfp_package=False)
def deploy(
    model: dsl.Input[dsl.Model],
    merged: dsl.Input[dsl.Dataset],
    evaluation: dsl.Input[dsl.Artifact],
    deployment: dsl.Output[dsl.Artifact],
    task: str,
    deploy_target: str,
    service_name: str,
    registry: str,
    deploy_options: dict[str, object],
    run_id: str,
    serve_image: str,
) -> None:
    """Put the model behind an inference endpoint."""
    import json
    from pathlib import Path

    from components.command_line import start_logging
    from components.deploy.run import deploy
    from components.deploy.settings import DeploySettings
    from components.options import with_options

    start_logging()
    deploy(
        with_options(
            DeploySettings,
            deploy_options,
            task=task,
            deploy_target=deploy_target,
            service_name=service_name,
            registry=registry,
            image=serve_image,
        ),
        model=Path(model.path),
        model_uri=model.uri,
        metrics=json.loads(Path(evaluation.path).read_text(encoding="utf-8")),
        dataset=Path(merged.path),
        run_id=run_id,
        output=Path(deployment.path),
    )
