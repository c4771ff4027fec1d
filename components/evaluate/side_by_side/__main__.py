"""Show two runs side by side: `python -m components.evaluate.side_by_side RUN RUN ...`."""

import argparse
import sys
from pathlib import Path

from components import storage
from components.command_line import errors_as_exit


def main() -> None:
    """Write the page; an error ends the process with status 1 and one line."""
    parser = argparse.ArgumentParser(
        prog="python -m components.evaluate.side_by_side", description=__doc__
    )
    parser.add_argument(
        "runs", nargs=2, metavar="RUN", help="folder of a run, or path or URI of an evaluation"
    )
    parser.add_argument("--output", type=Path, required=True, help="HTML page to write")
    arguments = parser.parse_args()
    with errors_as_exit("compare"):
        # Its imports take seconds, and wrong arguments should be reported at once.
        from components.evaluate.side_by_side.page import render
        from components.evaluate.side_by_side.runs import read_run

        page = render(*map(read_run, arguments.runs))
        with storage.staged(arguments.output) as draft:
            draft.write_text(page, encoding="utf-8")
    sys.stdout.write(f"{arguments.output}\n")


if __name__ == "__main__":
    main()
