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
    from components.outcome.run import Outcome, outcome
    from components.outcome.settings import OutcomeSettings

    start_logging()
    outcome(
        OutcomeSettings(registry=deploy_registry, webhook_url=os.environ.get("WEBHOOK_URL", "")),
        Outcome(pipeline, run_id, status.state, status.error_message or ""),
        output=Path(record.path),
    )
