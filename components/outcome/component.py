"""KFP face of the outcome step, the exit handler."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/deploy", install_kfp_package=False)
def outcome(
    status: dsl.PipelineTaskFinalStatus,
    record: dsl.Output[dsl.Artifact],
    pipeline: str,
    run_id: str,
    deploy_registry: str,
) -> None:
    """Record how the run ended and, with WEBHOOK_URL in the environment, report it there."""
    import os
    from pathlib import Path

    from components.command_line import start_logging
    from components.outcome.ending import Ending, ending_on_cluster
    from components.outcome.run import Outcome, outcome
    from components.outcome.settings import OutcomeSettings

    start_logging()
    # Pods have this name on a cluster alone, and there the status does not know.
    if os.environ.get("KFP_POD_NAME"):
        ending = ending_on_cluster(status.pipeline_job_resource_name, status.pipeline_task_name)
    else:
        ending = Ending(status.state, error=status.error_message or "")
    outcome(
        OutcomeSettings(registry=deploy_registry, webhook_url=os.environ.get("WEBHOOK_URL", "")),
        Outcome(pipeline, run_id, ending.state, ending.step, ending.error),
        output=Path(record.path),
    )
