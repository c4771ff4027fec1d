"""Deploy a model, roll back to the previous one, or report what is in service."""

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from components import storage
from components.artifacts.task import load_task
from components.command_line import (
    add_settings_options,
    chosen_settings,
    errors_as_exit,
    start_logging,
)
from components.deploy.cluster.connection import connect
from components.deploy.kserve import report, roll_back
from components.deploy.model_registry import TOKEN
from components.deploy.release import TrainedModel
from components.deploy.run import deploy
from components.deploy.settings import DeploySettings
from components.deploy.smoke_test import smoke_test_of


def main() -> None:
    """Run the chosen action; an error ends the process with status 1 and its message.

    The token of the model registry comes from MODEL_REGISTRY_TOKEN.
    """
    arguments = _parser().parse_args()
    start_logging()
    with errors_as_exit(arguments.action):
        settings = chosen_settings(DeploySettings, arguments, target="kserve")
        if arguments.action == "deploy":
            _deploy(settings, arguments)
        elif arguments.action == "rollback":
            test = smoke_test_of(settings.service_name, load_task(settings.task))
            token = os.environ.get(TOKEN, "")
            cluster = connect(settings.namespace)
            roll_back(cluster, settings, test, model_registry_token=token)
        else:
            sys.stdout.write(report(connect(settings.namespace), settings.service_name) + "\n")


def _deploy(settings: DeploySettings, arguments: argparse.Namespace) -> None:
    with TemporaryDirectory() as scratch:
        deploy(
            settings,
            TrainedModel(
                folder=storage.fetch(arguments.model, Path(scratch)),
                uri=arguments.model_uri or arguments.model,
                evaluation=arguments.evaluation,
                card=arguments.card,
                run_id=arguments.run,
            ),
            output=arguments.output,
            dataset=arguments.dataset,
            model_registry_token=os.environ.get(TOKEN, ""),
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m components.deploy", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    deploy = actions.add_parser("deploy", help="put a model into service")
    deploy.add_argument("--model", required=True, help="model folder, path or URI")
    deploy.add_argument("--model-uri", default="", help="the URI for the cluster, if another one")
    deploy.add_argument("--evaluation", required=True, help="file that evaluate wrote, path or URI")
    deploy.add_argument("--card", default="", help="model card that evaluate wrote, path or URI")
    deploy.add_argument("--run", default="", help="id of the run that created the model")
    deploy.add_argument("--dataset", type=Path, help="merged data set, for the smoke test")
    deploy.add_argument("--output", type=Path, default=Path("runs/deployment"), help="folder")
    rollback = actions.add_parser("rollback", help="put the previous model back into service")
    status = actions.add_parser("status", help="report what is in service")
    for action in (deploy, rollback, status):
        add_settings_options(action)
    return parser


if __name__ == "__main__":
    main()
