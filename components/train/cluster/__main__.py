"""Print the manifest of a training or a search: `python -m components.train.cluster --help`."""

import argparse
import sys
from typing import Any

from components.command_line import add_settings_options, chosen_settings, errors_as_exit
from components.data_files import to_yaml
from components.train.cluster import pods
from components.train.cluster.katib import ALGORITHMS, Plan, experiment
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


def _experiment(arguments: argparse.Namespace) -> dict[str, Any]:
    settings = chosen_settings(TrainSettings, arguments)
    return experiment(
        arguments.name,
        settings,
        read_space(arguments.space, settings),
        arguments.image,
        arguments.dataset,
        Plan(arguments.trials, arguments.parallel, arguments.algorithm),
        _resources(arguments),
        _access(arguments),
    )


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
    katib = commands.add_parser("katib", help="search for the best settings, by Katib")
    katib.set_defaults(render=_experiment)
    katib.add_argument("--space", default=str(SPACE), help="search space, path or URI")
    katib.add_argument("--trials", type=int, default=Plan.trials, help="number of trials")
    katib.add_argument("--parallel", type=int, default=Plan.parallel, help="trials at a time")
    katib.add_argument("--algorithm", choices=ALGORITHMS, default=Plan.algorithm)
    for command in (job, katib):
        _add_common(command)
    return parser


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
