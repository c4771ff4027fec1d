"""Parameter sets: YAML files and overrides, checked before anything runs.

`python -m pipelines.parameters --params FILE` prints a set with the value of every parameter.
"""

import argparse
import inspect
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from components.command_line import add_set_option, errors_as_exit
from components.data_files import read_mapping, to_yaml
from components.deploy.settings import DeploySettings
from components.options import assign, read_assignments
from components.preflight.plan import OPTION_TYPES, choices
from pipelines.emotion import emotion

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


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a parameter set as YAML, with the value of every parameter."""
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.parameters", description=main.__doc__
    )
    parser.add_argument("--params", type=Path, help="parameter set; default: the pipeline's own")
    add_set_option(parser)
    given = parser.parse_args(arguments)
    with errors_as_exit("parameters"):
        sys.stdout.write(to_yaml(read_parameters(given.params, given.set)))


if __name__ == "__main__":
    main()
