"""KFP face of the deploy step."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/deploy", install_kfp_package=False)
def deploy(
    model: dsl.Input[dsl.Model],
    merged: dsl.Input[dsl.Dataset],
    evaluation: dsl.Input[dsl.Artifact],
    card: dsl.Input[dsl.Artifact],
    deployment: dsl.Output[dsl.Artifact],
    task: str,
    deploy_target: str,
    deploy_service_name: str,
    deploy_registry: str,
    deploy_options: dict[str, object],
    run_id: str,
    run_name: str,
    serve_image: str,
) -> None:
    """Put the model behind an inference endpoint."""
    import os
    from pathlib import Path

    from components.command_line import start_logging
    from components.deploy.release import TrainedModel
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
        TrainedModel(
            folder=Path(model.path),
            uri=model.uri,
            evaluation=Path(evaluation.path),
            card=Path(card.path),
            run_id=run_id,
            run_name=run_name,
        ),
        output=Path(deployment.path),
        dataset=Path(merged.path),
        model_registry_token=os.environ.get("MODEL_REGISTRY_TOKEN", ""),
    )
