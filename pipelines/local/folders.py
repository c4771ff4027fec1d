"""The folders of local runs, named after their time."""

from datetime import datetime
from pathlib import Path


def new_folder(runs: Path) -> Path:
    """Name the folder of a run that starts now."""
    return runs.resolve() / datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")


def point_latest(folder: Path) -> None:
    """Let `latest`, beside a run folder, lead to it."""
    draft = folder.parent / ".latest"
    draft.unlink(missing_ok=True)
    draft.symlink_to(folder.name)
    draft.replace(folder.parent / "latest")
