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
    deploy_service_name: str,
    deploy_registry: str,
    deploy_options: dict[str, object],
    run_id: str,
    serve_image: str,
) -> None:
    """Put the model behind an inference endpoint."""
    from pathlib import Path

    from components.command_line import start_logging
    from components.deploy.run import deploy
    from components.deploy.settings import DeploySettings
    from components.options import settings_of

    start_logging()
    deploy(
        settings_of(
            DeploySettings,
            task=task,
            deploy_target=deploy_target,
            deploy_service_name=deploy_service_name,
            deploy_registry=deploy_registry,
            deploy_options=deploy_options,
            deploy_image=serve_image,
        ),
        model=Path(model.path),
        model_uri=model.uri,
        evaluation=Path(evaluation.path),
        dataset=Path(merged.path),
        run_id=run_id,
        output=Path(deployment.path),
    )
