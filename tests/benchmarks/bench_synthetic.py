"""Do the synthetic rows help? `make bench-synthetic`.

Trains the same recipe on the same real rows with and without the synthetic rows of a run, and
scores both on the data set's own test split and on the embedded sample, which is ordinary
written English from elsewhere.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from components.artifacts.dataset import SPLITS, TEST, TRAIN, read_frame
from components.artifacts.model.classifier import Classifier
from components.command_line import start_logging
from components.evaluate.measure.scores import score
from components.merge.run import merge
from components.merge.settings import MergeSettings
from components.options import settings_of
from components.train.fine_tuning import fine_tune
from components.train.settings import TrainSettings
from pipelines.parameters import read_parameters

LOCAL = Path("pipelines/params/local.yaml")


def line(classifier: Classifier, name: str, rows: pd.DataFrame, way: str) -> str:
    predicted = classifier.probabilities(list(rows["text"])).argmax(axis=1)
    scores = score(rows["label"].to_numpy(), np.asarray(predicted), classifier.labels)
    return f"| {way} | {name} | {len(rows)} | {scores.accuracy:.3f} | {scores.macro_f1:.3f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="path of the real data set, or `sample`")
    parser.add_argument("--synthetic", type=Path, required=True, help="folder of a run")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=4)
    arguments = parser.parse_args()
    start_logging()
    overrides = [f"dataset={arguments.dataset}", f"merge_options.max_train_rows={arguments.rows}"]
    values = read_parameters(LOCAL, [*overrides, f"train_epochs={arguments.epochs}"])
    settings = settings_of(MergeSettings, **values)
    lines = []
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sample = merge(replace(settings, dataset="sample", max_train_rows=0), [], folder / "sample")
        elsewhere = pd.concat(
            [read_frame(folder / "sample", name, sample.labels) for name in SPLITS]
        )
        for way, synthetic in [("real only", []), ("with synthetic", [arguments.synthetic])]:
            merged = merge(settings, synthetic, folder / way)
            fine_tune(
                settings_of(TrainSettings, **values),
                folder / way,
                folder / f"{way} model",
                folder / f"{way} checkpoints",
            )
            classifier = Classifier(folder / f"{way} model")
            name = f"{way}, {sum(merged.rows[TRAIN].values())} rows"
            test = read_frame(folder / way, TEST, merged.labels)
            lines.append(line(classifier, "own test split", test, name))
            if arguments.dataset != "sample":
                lines.append(line(classifier, "embedded sample", elsewhere, name))
    print("\n| trained on | scored on | rows | accuracy | macro-F1 |")
    print("| --- | --- | --- | --- | --- |", *lines, sep="\n")


if __name__ == "__main__":
    main()
