"""Check a run from a shell: `python -m components.preflight --parameters FILE --set name=value`."""

import argparse
import os

from components.command_line import add_set_option, errors_as_exit, start_logging
from components.data_files import read_mapping
from components.options import read_assignments
from components.preflight.run import preflight
from components.preflight.settings import Place


def main() -> None:
    """Check; the key of LLM servers comes from LLM_API_KEY."""
    parser = argparse.ArgumentParser(prog="python -m components.preflight", description=__doc__)
    parser.add_argument(
        "--parameters", required=True, help="YAML file of pipeline parameters, path or URI"
    )
    add_set_option(parser)
    arguments = parser.parse_args()
    start_logging()
    with errors_as_exit("preflight"):
        given = read_mapping(arguments.parameters, "parameter file")
        place = Place(llm_api_key=os.environ.get("LLM_API_KEY", ""))
        preflight(place, **(given | read_assignments(arguments.set)))


if __name__ == "__main__":
    main()
