"""Check a run from a shell: `python -m components.preflight --parameters FILE --set name=value`.

The file states every parameter, as `python -m pipelines.parameters` prints them.
"""

import argparse
import inspect
import os
from typing import Any

from components.command_line import add_set_option, errors_as_exit, start_logging
from components.data_files import read_mapping
from components.deploy.model_registry import TOKEN
from components.errors import InputError
from components.options import assign, read_assignments
from components.preflight.component import preflight as component
from components.preflight.plan import OPTION_TYPES
from components.preflight.run import preflight
from components.preflight.settings import Place

_OF_A_RUN = {"run_id", "gpu", "serve_image"}


def main() -> None:
    """Check; keys come from LLM_API_KEY and MODEL_REGISTRY_TOKEN."""
    parser = argparse.ArgumentParser(prog="python -m components.preflight", description=__doc__)
    parser.add_argument(
        "--parameters", required=True, help="YAML file of pipeline parameters, path or URI"
    )
    add_set_option(parser)
    arguments = parser.parse_args()
    start_logging()
    with errors_as_exit("preflight"):
        parameters = _parameters(arguments.parameters, arguments.set)
        place = Place(
            llm_api_key=os.environ.get("LLM_API_KEY", ""),
            model_registry_token=os.environ.get(TOKEN, ""),
        )
        preflight(place, **parameters)


def _parameters(file: str, overrides: list[str]) -> dict[str, Any]:
    """A value for every parameter that the KFP face takes, but those that only a run has."""
    signature = inspect.signature(component.python_func).parameters
    types = {name: signature[name].annotation for name in signature if name not in _OF_A_RUN}
    values: dict[str, Any] = {}
    assigned = read_assignments(overrides, {**types, **OPTION_TYPES})
    for given in (read_mapping(file, "parameter file"), assigned):
        assign(values, given, types)
    if missing := [name for name in types if name not in values]:
        fix = "Print a whole set with `python -m pipelines.parameters --params FILE`"
        raise InputError(f"parameter file {file}", f"lacks {', '.join(missing)}", fix)
    return values


if __name__ == "__main__":
    main()
