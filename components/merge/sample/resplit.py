"""Makes the sample's splits from its sentences: `python -m components.merge.sample.resplit`."""

from pathlib import Path

import pandas as pd

from components.artifacts.task import load_task
from components.merge.settings import MergeSettings
from components.merge.sources import WHOLE
from components.merge.split import split_rows

FOLDER = Path(__file__).parent


def resplit(folder: Path) -> None:
    """Write train.csv, validation.csv and test.csv (70/10/20) into a folder."""
    task = load_task("emotion")
    rows = [
        (text, label)
        for label, name in enumerate(task.names)
        for text in (FOLDER / "sentences" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    ]
    settings = MergeSettings(test_fraction=0.2, validation_fraction=0.125)
    splits = split_rows({WHOLE: pd.DataFrame(rows, columns=["text", "label"])}, settings)
    for name, frame in splits.items():
        named = frame.assign(label=[task.names[label] for label in frame["label"]])
        named.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    resplit(FOLDER)
