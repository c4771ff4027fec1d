"""Parameter sets: YAML files and overrides, checked before anything runs.

`python -m pipelines.parameters --params FILE` prints a set with the value of every parameter.
"""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from components.command_line import command, errors_as_exit, set_option
from components.data_files import read_mapping, to_yaml
from components.deploy.settings import DeploySettings
from components.options import (
    StepSettings,
    assign,
    option_types,
    read_assignments,
    settings_of,
)
from components.predict.settings import PredictSettings
from components.preflight.plan import OPTION_TYPES, choices
from components.watch.settings import WatchSettings
from pipelines.emotion import emotion
from pipelines.parameter_sets import PARAMETER_SET
from pipelines.predict import predict
from pipelines.watch import watch

_SIGNATURE = inspect.signature(emotion.pipeline_func).parameters

_TYPES = {name: each.annotation for name, each in _SIGNATURE.items()}

DEFAULTS: Mapping[str, Any] = {name: each.default for name, each in _SIGNATURE.items()}
"""Value of every pipeline parameter that is not set."""


def read_parameters(
    path: Path | None,
    overrides: Iterable[str] = (),
    cluster: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Read a parameter set, and refuse it now if a step would refuse it later.

    Args:
        path: YAML file of the parameters that differ from their defaults; None for no file.
        overrides: `name=value` or `merge_options.name=value`, the value a word or YAML; they win.
        cluster: Values that belong to the cluster; they replace those of the set.

    Returns:
        A value for every parameter of the pipeline.

    Raises:
        InputError: If a name is unknown, a value has the wrong type, or a step's settings
            refuse it; it names the parameter.
    """
    values = dict(DEFAULTS)
    items = read_mapping(path, "parameter file") if path else {}
    for each in (items, cluster, read_assignments(overrides, {**_TYPES, **OPTION_TYPES})):
        assign(values, each, _TYPES)
    # The image belongs to the compiled pipeline, and is not an option of a run.
    for choice in choices({**values, "deploy_image": DeploySettings.image}):
        choice.look()
    return values


def read_watch_parameters(
    path: Path | None,
    overrides: Iterable[str] = (),
    cluster: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Read a parameter set of the pipeline `watch`, as `read_parameters` does.

    Args:
        path: YAML file of the parameters that differ from their defaults; None for no file.
        overrides: `name=value`; they win.
        cluster: Values that belong to the place; those of other pipelines are left out.

    Raises:
        InputError: As for `read_parameters`.
    """
    return _read(watch, WatchSettings, path, overrides, cluster)


def read_predict_parameters(
    path: Path | None,
    overrides: Iterable[str] = (),
    cluster: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Read a parameter set of the pipeline `predict`, as `read_watch_parameters` does."""
    return _read(predict, PredictSettings, path, overrides, cluster)


def _read(
    pipeline: Any,
    kind: type[StepSettings],
    path: Path | None,
    overrides: Iterable[str],
    cluster: Mapping[str, Any],
) -> dict[str, Any]:
    """Read a parameter set of a pipeline with the settings of one step."""
    signature = inspect.signature(pipeline.pipeline_func).parameters
    types = {name: each.annotation for name, each in signature.items()}
    values = {name: each.default for name, each in signature.items()}
    own = {name: value for name, value in cluster.items() if name.partition(".")[0] in types}
    items = read_mapping(path, "parameter file") if path else {}
    for each in (items, own, read_assignments(overrides, {**types, **option_types(kind)})):
        assign(values, each, types)
    settings_of(kind, **values)
    return values


@command()
@click.option(
    "--params", type=PARAMETER_SET, help="Parameter set; by default the pipeline's own values."
)
@set_option()
def main(params: Path | None, assignments: Sequence[str]) -> None:
    """Print a parameter set as YAML, with the value of every parameter."""
    with errors_as_exit("parameters"):
        click.echo(to_yaml(read_parameters(params, assignments)), nl=False)


if __name__ == "__main__":
    main()
