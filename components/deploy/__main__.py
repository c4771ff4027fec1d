"""Deploy, roll back or look, from a shell: `python -m components.deploy deploy|rollback|status`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from components import storage
from components.command_line import start_logging
from components.deploy.cluster.connection import connect
from components.deploy.settings import DeploySettings
from components.deploy.targets.kserve import report, roll_back
from components.errors import InputError
from components.options import with_options


def main() -> None:
    """Do it; bad input ends the process with status 1 and a reason."""
    arguments = _parser().parse_args()
    start_logging()
    try:
        settings = _settings(arguments.set)
        if arguments.action == "status":
            cluster = connect(settings.namespace)
            sys.stdout.write(report(cluster, settings.service_name) + "\n")
        elif arguments.action == "rollback":
            _roll_back(settings)
        else:
            _deploy(settings, arguments)
    except InputError as error:
        sys.exit(f"{arguments.action}: {error}")


def _deploy(settings: DeploySettings, arguments: argparse.Namespace) -> None:
    from components.deploy.run import deploy

    with TemporaryDirectory() as scratch:
        deploy(
            settings,
            model=storage.fetch(arguments.model, Path(scratch)),
            metrics=json.loads(storage.read_text(arguments.metrics)),
            model_uri=arguments.model_uri or arguments.model,
            output=arguments.output,
            dataset=arguments.dataset,
            run_id=arguments.run,
        )


def _roll_back(settings: DeploySettings) -> None:
    from components.artifacts.task import load_task
    from components.deploy.run import sentences_of

    task = load_task(settings.task)
    roll_back(connect(settings.namespace), settings, task, sentences_of(task, None))


def _settings(overrides: Sequence[str]) -> DeploySettings:
    given = dict(_override(text) for text in overrides)
    return with_options(DeploySettings, {"target": "kserve", **given})


def _override(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set {text!r}", "must read name=value", "Add the =")
    return name, yaml.safe_load(value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m components.deploy", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    deploy = actions.add_parser("deploy", help="put a model into service")
    deploy.add_argument("--model", required=True, help="model folder, path or URI")
    deploy.add_argument("--model-uri", default="", help="where the cluster finds it, if elsewhere")
    deploy.add_argument("--metrics", required=True, help="what evaluate wrote, path or URI")
    deploy.add_argument("--run", default="", help="id of the run that made the model")
    deploy.add_argument("--dataset", type=Path, help="merged data set, to try the model out with")
    deploy.add_argument("--output", type=Path, default=Path("runs/deployment"), help="folder")
    rollback = actions.add_parser("rollback", help="put back what was in service before")
    status = actions.add_parser("status", help="tell what is in service")
    for action in (deploy, rollback, status):
        action.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a setting of components/deploy/settings.py; may be repeated",
        )
    return parser


if __name__ == "__main__":
    main()
