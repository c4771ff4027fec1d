"""Show two runs side by side: `python -m components.evaluate.side_by_side RUN RUN ...`."""

from collections.abc import Sequence
from pathlib import Path

import click

from components import storage
from components.command_line import PATH, command, errors_as_exit


@command()
@click.argument("runs", nargs=2, metavar="RUN RUN")
@click.option("--output", type=PATH, required=True, help="HTML page to write.")
def main(runs: Sequence[str], output: Path) -> None:
    """Show two runs side by side.

    RUN is the folder of a run, or path or URI of an evaluation.
    """
    with errors_as_exit("compare"):
        # Its imports take seconds, and wrong arguments should be reported at once.
        from components.evaluate.side_by_side.page import render
        from components.evaluate.side_by_side.runs import read_run

        page = render(*map(read_run, runs))
        with storage.staged(output) as draft:
            draft.write_text(page, encoding="utf-8")
    click.echo(output)


if __name__ == "__main__":
    main()
