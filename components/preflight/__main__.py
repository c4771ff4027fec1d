"""Check a run from a shell: `python -m components.preflight --parameters FILE --set name=value`."""

import inspect
import os
from collections.abc import Sequence
from typing import Any

import click

from components.command_line import command, errors_as_exit, set_option, start_logging
from components.data_files import read_mapping
from components.errors import InputError
from components.options import assign, read_assignments
from components.preflight.settings import Place

_OF_A_RUN = {"run_id", "gpu", "serve_image"}


@command()
@click.option("--parameters", required=True, help="YAML file of pipeline parameters, path or URI.")
@set_option()
def main(parameters: str, assignments: Sequence[str]) -> None:
    """Check all that a run will need.

    The file states every parameter, as `emotion-pipeline parameters` prints them. Keys come from
    LLM_API_KEY and MODEL_REGISTRY_TOKEN.
    """
    start_logging()
    with errors_as_exit("preflight"):
        values = _parameters(parameters, assignments)
        # Its imports take seconds, and wrong arguments should be reported at once.
        from components.deploy.model_registry import TOKEN
        from components.preflight.run import preflight

        place = Place(
            llm_api_key=os.environ.get("LLM_API_KEY", ""),
            model_registry_token=os.environ.get(TOKEN, ""),
        )
        preflight(place, **values)


def _parameters(file: str, overrides: Sequence[str]) -> dict[str, Any]:
    """A value for every parameter that the KFP face takes, but those that only a run has."""
    from components.preflight.component import preflight as component
    from components.preflight.plan import OPTION_TYPES

    signature = inspect.signature(component.python_func).parameters
    types = {name: signature[name].annotation for name in signature if name not in _OF_A_RUN}
    values: dict[str, Any] = {}
    assigned = read_assignments(overrides, {**types, **OPTION_TYPES})
    for given in (read_mapping(file, "parameter file"), assigned):
        assign(values, given, types)
    if missing := [name for name in types if name not in values]:
        fix = "Print a whole set with `emotion-pipeline parameters --params FILE`"
        raise InputError(f"parameter file {file}", f"lacks {', '.join(missing)}", fix)
    return values


if __name__ == "__main__":
    main()
