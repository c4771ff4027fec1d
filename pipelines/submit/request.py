"""A pipeline to upload, and to run or schedule if that is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kfp import Client

from components.errors import InputError
from components.kfp_server import id_of
from pipelines.compile.compiler import compile_pipeline
from pipelines.compile.settings import CompileSettings
from pipelines.compile.source import Source
from pipelines.definitions import Definition
from pipelines.submit.links import in_mlflow, link_of
from pipelines.submit.observed import ObservedRun
from pipelines.submit.submission import Job, Schedule, read_schedule, schedule, start, upload
from pipelines.submit.watch import failures, remarks, watch


@dataclass(frozen=True)
class Wish:
    """How a pipeline is to be used.

    Raises:
        InputError: If the experiment has no name.
    """

    experiment: str
    """Groups runs."""
    service_account: str = ""
    """Service account of the run's pods; empty takes the recurring run's."""
    mlflow_experiment: str = ""
    """Experiment in MLflow, for KFP's plugin; may be empty."""
    schedule: str | None = None
    """Times of a recurring run, in 6 fields; empty takes those that are shipped; None runs once."""
    upload_only: bool = False
    """Run nothing."""

    def __post_init__(self) -> None:
        if not self.experiment.strip():
            raise InputError("--experiment", "is empty", "Name the group that the run belongs to")


@dataclass(frozen=True)
class Request:
    """A pipeline to compile, and its use."""

    definition: Definition
    """The pipeline."""
    settings: CompileSettings
    """Settings of the cluster."""
    parameters: Mapping[str, Any]
    """Value of every parameter: the run's, and the defaults of the version in the UI."""
    job: Job | None
    """The run; None only uploads the pipeline."""
    schedule: Schedule | None
    """Times of the run; None runs once, now."""


def requested(source: Source, wish: Wish) -> Request:
    """Read what is to be submitted.

    A scheduled run reads what its parameters name at that time: nothing is cached or pinned.

    Raises:
        InputError: If a file or value is refused.
    """
    definition, settings = source.definition, source.read_settings()
    values = definition.read(source.params, source.assignments, settings.parameters)
    once = wish.schedule is None or wish.upload_only
    parameters = definition.pin(values) if once else values
    if wish.upload_only:
        return Request(definition, settings, parameters, None, None)
    plan = read_schedule(definition.recurring, wish.schedule or "")
    job = Job(
        name=f"{definition.name} {datetime.now(UTC):%Y-%m-%d %H:%M:%S}" if once else plan.name,
        experiment=wish.experiment,
        service_account=wish.service_account or plan.service_account,
        mlflow_experiment=wish.mlflow_experiment,
    )
    settings = replace(settings, caching=once)
    return Request(definition, settings, parameters, job, None if once else plan)


def submit(
    client: Client,
    request: Request,
    say: Callable[[str], None],
    ui: str = "",
    hours: float = 48.0,
    poll_seconds: float = 10.0,
) -> list[str]:
    """Upload the pipeline, then schedule it, or run it and wait, if that is asked for.

    Args:
        client: Connected to Kubeflow Pipelines.
        request: The pipeline and its use.
        say: Receives lines of progress.
        ui: URL of KFP's UI; empty prints no link.
        hours: Longest wait for a run.
        poll_seconds: Pause between two queries of it.

    Returns:
        Reasons why the run failed; empty if it did not.

    Raises:
        InputError: If the run takes longer.
    """
    with TemporaryDirectory() as folder:
        package = Path(folder) / request.definition.compiled.name
        compile_pipeline(package, request.settings, request.parameters, request.definition)
        version = upload(client, package)
    say(f"version {version.display_name}: {version.pipeline_version_id}")
    if not request.job:
        return []
    if plan := request.schedule:
        created = schedule(client, version, request.job, plan, request.parameters)
        made = id_of(created, "recurring_run_id")
        say(f"scheduled {request.job.name} ({plan.cron}): {made}")
        return []
    run = start(client, version, request.job, request.parameters)
    run_id = id_of(run, "run_id")
    say(f"run {run_id}: {link_of(ui, run_id)}" if ui else f"run {run_id}")
    if request.job.mlflow_experiment:
        say(f"MLflow: {in_mlflow(run)}")
    observed = ObservedRun(client, run_id)
    ended = watch(observed, hours, say, poll_seconds)
    for line in remarks(observed, ended):
        say(line)
    return failures(observed, ended)
