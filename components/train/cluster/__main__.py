"""Print the manifest of a training or a search: `python -m components.train.cluster --help`."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import click

from components.command_line import HELP, Command, errors_as_exit, settings_options
from components.data_files import to_yaml
from components.errors import InputError
from components.train.cluster import katib, optimization_job, pods
from components.train.cluster.train_job import train_job
from components.train.search.space import SPACE, read_space
from components.train.settings import TrainSettings

_NEEDS = ("cpu", "memory", "gpus")
_ACCESS = ("keys", "endpoint", "region")


@click.group(context_settings=HELP)
def main() -> None:
    """Print the manifest of a training or a search on a cluster."""


def _pod_options(function: Callable[..., Mapping[str, Any]]) -> Callable[..., None]:
    """Add what every kind of object takes: its name, data, settings and pods; print the object."""

    @click.option("--name", default="emotion-train", show_default=True, help="Name of the object.")
    @click.option("--image", required=True, help="Container image of the train step.")
    @click.option(
        "--dataset", "dataset_uri", required=True, help="Folder of the merge step, gs:// or s3://."
    )
    @click.option("--cpu", default=pods.PodResources.cpu, help="Cores per pod.")
    @click.option("--memory", default=pods.PodResources.memory, help="Memory per pod.")
    @click.option("--gpus", type=int, default=pods.PodResources.gpus, help="GPUs per pod.")
    @click.option("--keys", default="", help="Secret with the keys of S3, if it needs any.")
    @click.option("--endpoint", default="", help="URL of an S3-compatible store.")
    @click.option("--region", default="", help="Region of the S3 bucket.")
    @settings_options(TrainSettings)
    @functools.wraps(function)
    def run(*, chosen: Callable[..., TrainSettings], **given: Any) -> None:
        with errors_as_exit("manifests"):
            if not given["image"].strip():
                # Trainer would run its runtime's own image.
                raise InputError("--image", "is empty", "Name the image of the train step")
            of_pods = [{each: given.pop(each) for each in names} for names in (_NEEDS, _ACCESS)]
            manifest = function(
                settings=chosen(),
                resources=pods.PodResources(**of_pods[0]),
                access=pods.Access(**of_pods[1]),
                **given,
            )
            click.echo(to_yaml(manifest), nl=False)

    return run


def _plan_options(
    plan: type[katib.Plan] | type[optimization_job.Plan],
) -> Callable[[Callable[..., Mapping[str, Any]]], Callable[..., Mapping[str, Any]]]:
    """Add the options of a search: its space, size and algorithm."""

    def decorate(function: Callable[..., Mapping[str, Any]]) -> Callable[..., Mapping[str, Any]]:
        default = plan()

        @click.option("--space", default=str(SPACE), help="Search space, path or URI.")
        @click.option("--trials", type=int, default=default.trials, help="Number of trials.")
        @click.option("--parallel", type=int, default=default.parallel, help="Trials at a time.")
        @click.option("--algorithm", type=click.Choice(plan.ALGORITHMS), default=default.algorithm)
        @functools.wraps(function)
        def run(*, settings: TrainSettings, space: str, **given: Any) -> Mapping[str, Any]:
            size = plan(*(given.pop(each) for each in ("algorithm", "trials", "parallel")))
            searched = read_space(space, settings)
            return function(settings=settings, space=searched, plan=size, **given)

        return run

    return decorate


@main.command("train-job", cls=Command)
@click.option(
    "--output", "output_uri", required=True, help="Model folder to write, gs:// or s3://."
)
@click.option("--nodes", type=int, default=2, show_default=True, help="Number of pods.")
@_pod_options
def _train_job(
    settings: TrainSettings, nodes: int, access: pods.Access, **given: Any
) -> Mapping[str, Any]:
    """Train on several nodes, by Kubeflow Trainer."""
    wanted = replace(settings, nodes=nodes)
    return train_job(settings=wanted, environment=access.environment(), **given)


@main.command("optimization-job", cls=Command)
@_pod_options
@_plan_options(optimization_job.Plan)
def _optimization_job(**given: Any) -> Mapping[str, Any]:
    """Search by Kubeflow Trainer."""
    return optimization_job.optimization_job(**given)


@main.command("katib", cls=Command)
@click.option("--account", default=pods.Access.account, help="Service account.")
@_pod_options
@_plan_options(katib.Plan)
def _katib(account: str, access: pods.Access, **given: Any) -> Mapping[str, Any]:
    """Search by Katib."""
    return katib.experiment(access=replace(access, account=account), **given)


if __name__ == "__main__":
    main()
