"""Deploy a model, roll back to the previous one, or report what is in service."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from components import storage
from components.artifacts.task import load_task
from components.command_line import (
    HELP,
    PATH,
    Command,
    errors_as_exit,
    settings_options,
    start_logging,
)
from components.deploy.settings import DeploySettings


@click.group(context_settings=HELP)
def main() -> None:
    """Deploy a model, roll back to the previous one, or report what is in service.

    The token of the model registry comes from MODEL_REGISTRY_TOKEN.
    """


@main.command(cls=Command)
@click.option("--model", required=True, help="Model folder, path or URI.")
@click.option("--model-uri", default="", help="The URI for the cluster, if another one.")
@click.option("--evaluation", required=True, help="File that evaluate wrote, path or URI.")
@click.option("--card", default="", help="Model card that evaluate wrote, path or URI.")
@click.option("--run", default="", help="Id of the run that created the model.")
@click.option("--dataset", type=PATH, help="Merged data set, for the smoke test.")
@click.option("--output", type=PATH, default="runs/deployment", show_default=True, help="Folder.")
@settings_options(DeploySettings)
def deploy(
    chosen: Callable[..., DeploySettings], output: Path, dataset: Path | None, **trained: str
) -> None:
    """Put a model into service on KServe."""
    start_logging()
    with errors_as_exit("deploy"), TemporaryDirectory() as scratch:
        settings = chosen(target="kserve")
        from components.deploy import run
        from components.deploy.release import TrainedModel

        model = TrainedModel(
            folder=storage.fetch(trained["model"], Path(scratch)),
            uri=trained["model_uri"] or trained["model"],
            evaluation=trained["evaluation"],
            card=trained["card"],
            run_id=trained["run"],
        )
        run.deploy(settings, model, output, dataset=dataset, model_registry_token=_token())


@main.command(cls=Command)
@settings_options(DeploySettings)
def rollback(chosen: Callable[..., DeploySettings]) -> None:
    """Put the previous model back into service."""
    start_logging()
    with errors_as_exit("rollback"):
        settings = chosen(target="kserve")
        from components.deploy.kserve import roll_back
        from components.deploy.smoke_test import smoke_test_of

        test = smoke_test_of(settings.service_name, load_task(settings.task))
        roll_back(_cluster(settings), settings, test, model_registry_token=_token())


@main.command(cls=Command)
@settings_options(DeploySettings)
def status(chosen: Callable[..., DeploySettings]) -> None:
    """Report what is in service."""
    start_logging()
    with errors_as_exit("status"):
        settings = chosen(target="kserve")
        from components.deploy.kserve import report

        click.echo(report(_cluster(settings), settings.service_name))


def _token() -> str:
    from components.deploy.model_registry import TOKEN

    return os.environ.get(TOKEN, "")


def _cluster(settings: DeploySettings) -> Any:
    from components.deploy.cluster.connection import connect

    return connect(settings.namespace)


if __name__ == "__main__":
    main()
