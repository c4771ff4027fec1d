"""Print the manifest of a training or a search: `python -m components.train.cluster --help`."""

import argparse
import sys
from typing import Any

from components.command_line import add_settings_options, chosen_settings, errors_as_exit
from components.data_files import to_yaml
from components.train.cluster import katib, optimization_job, pods
from components.train.cluster.train_job import train_job
from components.train.search.space import SPACE, read_space
from components.train.settings import TrainSettings


def main() -> None:
    """Print a manifest; an error ends the process with status 1 and one line."""
    arguments = _parser().parse_args()
    with errors_as_exit("manifests"):
        sys.stdout.write(to_yaml(arguments.render(arguments)))


def _train_job(arguments: argparse.Namespace) -> dict[str, Any]:
    return train_job(
        arguments.name,
        chosen_settings(TrainSettings, arguments),
        arguments.image,
        arguments.dataset,
        arguments.output,
        arguments.nodes,
        _resources(arguments),
        _access(arguments),
    )


def _search(arguments: argparse.Namespace) -> dict[str, Any]:
    settings = chosen_settings(TrainSettings, arguments)
    manifest: dict[str, Any] = arguments.manifest(
        arguments.name,
        settings,
        read_space(arguments.space, settings),
        arguments.image,
        arguments.dataset,
        arguments.plan(arguments.algorithm, arguments.trials, arguments.parallel),
        _resources(arguments),
        _access(arguments),
    )
    return manifest


def _resources(arguments: argparse.Namespace) -> pods.PodResources:
    return pods.PodResources(arguments.cpu, arguments.memory, arguments.gpus)


def _access(arguments: argparse.Namespace) -> pods.Access:
    return pods.Access(arguments.account, arguments.keys, arguments.endpoint, arguments.region)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m components.train.cluster")
    commands = parser.add_subparsers(required=True)
    job = commands.add_parser("train-job", help="train on several nodes, by Kubeflow Trainer")
    job.set_defaults(render=_train_job)
    job.add_argument("--output", required=True, help="model folder to write, gs:// or s3://")
    job.add_argument("--nodes", type=int, default=2, help="number of pods")
    search = commands.add_parser("optimization-job", help="search by Kubeflow Trainer")
    search.set_defaults(manifest=optimization_job.optimization_job)
    _add_plan(search, optimization_job.Plan)
    experiment = commands.add_parser("katib", help="search by Katib")
    experiment.set_defaults(manifest=katib.experiment)
    _add_plan(experiment, katib.Plan)
    for command in (job, search, experiment):
        _add_common(command)
    return parser


def _add_plan(
    command: argparse.ArgumentParser, plan: type[katib.Plan] | type[optimization_job.Plan]
) -> None:
    default = plan()
    command.set_defaults(render=_search, plan=plan)
    command.add_argument("--space", default=str(SPACE), help="search space, path or URI")
    command.add_argument("--trials", type=int, default=default.trials, help="number of trials")
    command.add_argument("--parallel", type=int, default=default.parallel, help="trials at a time")
    command.add_argument("--algorithm", choices=plan.ALGORITHMS, default=default.algorithm)


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", default="emotion-train", help="name of the object")
    command.add_argument("--image", required=True, help="container image of the train step")
    command.add_argument(
        "--dataset", required=True, help="folder of the merge step, gs:// or s3://"
    )
    add_settings_options(command)
    command.add_argument("--cpu", default=pods.PodResources.cpu, help="cores per pod")
    command.add_argument("--memory", default=pods.PodResources.memory, help="memory per pod")
    command.add_argument("--gpus", type=int, default=pods.PodResources.gpus, help="GPUs per pod")
    command.add_argument("--account", default=pods.Access.account, help="service account")
    command.add_argument("--keys", default="", help="secret with the keys of S3, if it needs any")
    command.add_argument("--endpoint", default="", help="URL of an S3-compatible store")
    command.add_argument("--region", default="", help="region of the S3 bucket")


if __name__ == "__main__":
    main()
