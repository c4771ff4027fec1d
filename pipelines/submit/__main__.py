"""Run or schedule the pipeline on Kubeflow: `python -m pipelines.submit --host URL ...`."""

import os
import sys
from typing import Any

import click

from components.api_server import require_namespace
from components.command_line import command, errors_as_exit
from components.errors import require_between
from pipelines.compile.source import Source, source_options

_MOST_HOURS, _MOST_POLL_SECONDS = 24 * 365, 3600


@command()
@source_options
@click.option("--host", default="", help="URL of Kubeflow; empty asks the kubeconfig.")
@click.option("--ui", default="", help="URL of its UI, for the link to the run.")
@click.option("--namespace", default="", help="Profile, where there are several users.")
@click.option("--experiment", default="emotion", show_default=True, help="Groups runs.")
@click.option("--service-account", default="", help="Empty takes the recurring run's.")
@click.option("--mlflow-experiment", default="", help="For KFP's plugin, which logs the run to it.")
@click.option(
    "--schedule",
    is_flag=False,
    flag_value="",
    metavar="[CRON]",
    help="Schedule it, 6 fields; without a value as is shipped.",
)
@click.option("--upload-only", is_flag=True, help="Run nothing.")
@click.option(
    "--hours", type=float, default=48.0, show_default=True, help="How long to wait for the run."
)
@click.option(
    "--poll-seconds", type=float, default=10.0, show_default=True, help="Pause between two queries."
)
def main(
    source: Source,
    host: str,
    ui: str,
    namespace: str,
    hours: float,
    poll_seconds: float,
    **wish: Any,
) -> None:
    """Run or schedule a pipeline on Kubeflow.

    It ends with status 1 if the run fails. KFP_TOKEN holds a token, if Kubeflow wants one.
    """
    with errors_as_exit("submit"):
        require_between("--hours", hours, 0, _MOST_HOURS)
        require_between("--poll-seconds", poll_seconds, 0, _MOST_POLL_SECONDS)
        if namespace:
            require_namespace(namespace)
        # Its imports take seconds, and wrong arguments should be reported at once.
        from components.kfp_server import explained
        from pipelines.submit.connection import connect
        from pipelines.submit.links import ui_of
        from pipelines.submit.request import Wish, requested, submit

        with explained(host):
            request = requested(source, Wish(**wish))
            client = connect(host, namespace, os.environ.get("KFP_TOKEN"))
            shown = ui or ui_of(host)
            problems = submit(client, request, click.echo, shown, hours, poll_seconds)
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
