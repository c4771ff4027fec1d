"""Run or schedule the pipeline on Kubeflow: `python -m pipelines.submit --host URL ...`."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kfp import Client

from components.api_server import require_namespace
from components.command_line import errors_as_exit
from components.errors import InputError, require_between
from components.kfp_server import explained, id_of
from pipelines.compile.compiler import add_options, compile_pipeline, settings_from
from pipelines.compile.settings import CompileSettings
from pipelines.definitions import DEFINITIONS, Definition
from pipelines.submit.connection import connect
from pipelines.submit.links import in_mlflow, link_of, ui_of
from pipelines.submit.observed import ObservedRun
from pipelines.submit.submission import (
    Job,
    Schedule,
    read_schedule,
    schedule,
    start,
    upload,
)
from pipelines.submit.watch import failures, remarks, watch

_MOST_HOURS, _MOST_POLL_SECONDS = 24 * 365, 3600


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


def requested(arguments: argparse.Namespace) -> Request:
    """Read the request from a command line.

    A scheduled run reads what its parameters name at that time: nothing is cached or pinned.

    Raises:
        InputError: If a file or value is refused.
    """
    _require_possible(arguments)
    definition, settings = DEFINITIONS[arguments.pipeline], settings_from(arguments)
    values = definition.read(arguments.params, arguments.set, settings.parameters)
    once = arguments.schedule is None or arguments.upload_only
    parameters = definition.pin(values) if once else values
    if arguments.upload_only:
        return Request(definition, settings, parameters, None, None)
    plan = read_schedule(definition.recurring, arguments.schedule or "")
    job = Job(
        name=f"{definition.name} {datetime.now(UTC):%Y-%m-%d %H:%M:%S}" if once else plan.name,
        experiment=arguments.experiment,
        service_account=arguments.service_account or plan.service_account,
        mlflow_experiment=arguments.mlflow_experiment,
    )
    settings = replace(settings, caching=once)
    return Request(definition, settings, parameters, job, None if once else plan)


def _require_possible(arguments: argparse.Namespace) -> None:
    require_between("--hours", arguments.hours, 0, _MOST_HOURS)
    require_between("--poll-seconds", arguments.poll_seconds, 0, _MOST_POLL_SECONDS)
    if arguments.namespace:
        require_namespace(arguments.namespace)
    if not arguments.experiment.strip():
        raise InputError("--experiment", "is empty", "Name the group that the run belongs to")


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


def main() -> None:
    """Submit; exit with status 1 and a reason if something is refused or the run fails."""
    arguments = _parser().parse_args()
    with errors_as_exit("submit"), explained(arguments.host):
        request = requested(arguments)
        problems = submit(
            connect(arguments.host, arguments.namespace, os.environ.get("KFP_TOKEN")),
            request,
            lambda line: print(line, flush=True),
            arguments.ui or ui_of(arguments.host),
            arguments.hours,
            arguments.poll_seconds,
        )
    if problems:
        sys.exit("\n".join(problems))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines.submit", description=__doc__)
    add_options(parser)
    parser.add_argument("--host", default="", help="URL of Kubeflow; empty asks the kubeconfig")
    parser.add_argument("--ui", default="", help="URL of its UI, for the link to the run")
    parser.add_argument("--namespace", default="", help="profile, where there are several users")
    parser.add_argument("--experiment", default="emotion", help="groups runs")
    parser.add_argument("--service-account", default="", help="empty takes the recurring run's")
    parser.add_argument(
        "--mlflow-experiment", default="", help="for KFP's plugin, which logs the run to MLflow"
    )
    parser.add_argument(
        "--schedule", nargs="?", const="", metavar="CRON", help="schedule it, 6 fields"
    )
    parser.add_argument("--upload-only", action="store_true", help="run nothing")
    parser.add_argument("--hours", type=float, default=48.0, help="how long to wait for the run")
    parser.add_argument(
        "--poll-seconds", type=float, default=10.0, help="pause between two queries"
    )
    return parser


if __name__ == "__main__":
    main()
