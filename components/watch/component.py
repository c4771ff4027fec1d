"""KFP face of the watch step."""

from kfp import dsl


@dsl.component(base_image="emotion-pipeline/evaluate", install_kfp_package=False)
def watch(
    findings: dsl.Output[dsl.Artifact],
    figures: dsl.Output[dsl.Metrics],
    report: dsl.Output[dsl.HTML],
    labelling: dsl.Output[dsl.Artifact],
    watch_payloads: str,
    deploy_registry: str,
    watch_options: dict[str, object],
    seed: int,
) -> str:
    """Compare traffic with the model's evaluation; returns `drift`, `no drift`, `too few texts`."""
    from pathlib import Path

    from components.command_line import start_logging
    from components.options import settings_of
    from components.watch.run import watch
    from components.watch.settings import WatchSettings

    start_logging()
    result = watch(
        settings_of(
            WatchSettings,
            watch_payloads=watch_payloads,
            deploy_registry=deploy_registry,
            watch_options=watch_options,
            seed=seed,
        ),
        findings=Path(findings.path),
        report=Path(report.path),
        labelling=Path(labelling.path),
    )
    for name, value in result.figures().items():
        figures.log_metric(name, value)
    return result.verdict
