"""Show the training of runs in TensorBoard: `python -m pipelines.local.board [RUN ...]`."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from components import storage
from components.artifacts.model import bundle
from components.artifacts.model.history import HISTORY_FILE, History, read_history
from components.command_line import command, errors_as_exit
from components.errors import InputError
from components.evaluate.side_by_side.runs import MODEL

_PLAIN = (bool, int, float, str)


def write_events(history: History, settings: Mapping[str, Any], folder: Path) -> None:
    """Write a training as TensorBoard reads it.

    Args:
        history: Its measurements; those on the validation rows stand at the step of their epoch.
        settings: Its settings, for the page that compares runs by them.
        folder: Folder to write; its name is that of the run.

    Source: https://docs.pytorch.org/docs/stable/tensorboard.html
    """
    # Its import takes seconds.
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as board:
        for point in history.train:
            for name in ("loss", "learning_rate"):
                if name in point:
                    board.add_scalar(f"train/{name}", point[name], int(point["step"]))
        last = history.train[-1] if history.train else {"step": 1.0, "epoch": 1.0}
        for point in history.validation:
            step = round(point["epoch"] * last["step"] / last["epoch"])
            for name in ("loss", "accuracy", "macro_f1"):
                board.add_scalar(f"validation/{name}", point[name], step)
        shown = {name: each for name, each in settings.items() if isinstance(each, _PLAIN)}
        best = {f"best/{name}": history.best[name] for name in ("accuracy", "macro_f1")}
        board.add_hparams(shown, best, run_name=".")


def read_training(reference: str, scratch: Path) -> tuple[History, Mapping[str, Any]]:
    """Read the measurements and settings of a training.

    Args:
        reference: Folder of a run or of a model, path or URI.
        scratch: Folder for downloads.

    Raises:
        InputError: If there is no training, or it is malformed.
    """
    base = reference.rstrip("/")
    local = storage.local_path(base)
    if local and (local / MODEL).is_dir():
        base = f"{base}/{MODEL}"
    elif local and local.is_dir() and not (local / HISTORY_FILE).exists():
        rule = f"holds neither {MODEL} nor {HISTORY_FILE}, so nothing has been trained in it"
        raise InputError(
            f"run {reference}", rule, "Name a folder of runs/ that has a model, or one"
        )
    history = storage.fetch(f"{base}/{HISTORY_FILE}", scratch)
    manifest = storage.fetch(f"{base}/{bundle.MANIFEST}", scratch)
    return read_history(history.parent), bundle.read_facts(manifest).get("settings", {})


def _runs() -> list[str]:
    """The folders of all local runs that have trained a model."""
    found = sorted(path.parent for path in Path("runs").glob(f"[!.]*/{MODEL}"))
    runs = [str(path) for path in found if not path.is_symlink()]
    if not runs:
        raise InputError("runs", "holds no run with a model", "Use `make run`, or name a run")
    return runs


def _collect(references: Sequence[str], folder: Path) -> None:
    for reference in references:
        local = storage.local_path(reference)
        name = local.resolve().name if local else reference.partition("://")[2].strip("/")
        with TemporaryDirectory() as scratch:
            history, settings = read_training(reference, Path(scratch))
        write_events(history, settings, folder / name)


@command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=6006, show_default=True, help="TCP port."
)
def main(runs: Sequence[str], port: int) -> None:
    """Open TensorBoard on the training of runs until it is interrupted.

    RUN is the folder of a run or model, path or URI; without one all local runs are shown.
    """
    with errors_as_exit("board"), TemporaryDirectory() as folder:
        _collect(runs or _runs(), Path(folder))
        from tensorboard import program

        board = program.TensorBoard()
        board.configure(argv=["", "--logdir", folder, "--port", str(port), "--load_fast", "false"])
        sys.exit(board.main())


if __name__ == "__main__":
    main()
