"""Real texts that are shown to an LLM."""

from importlib import resources

import pandas as pd

from components.artifacts.dataset import SPLITS, TRAIN, read_frame
from components.artifacts.task import load_task
from components.generate.run import train_examples
from components.merge.run import merge
from components.merge.settings import MergeSettings


def test_every_label_has_examples_and_none_is_held_out():
    examples = train_examples(MergeSettings(dataset="sample"))
    folder = resources.files("components.merge") / "sample"
    held_out = {
        text
        for split in ("validation", "test")
        for text in pd.read_csv(str(folder / f"{split}.csv"))["text"]
    }
    assert set(examples) == set(load_task("emotion").names)
    for name, texts in examples.items():
        assert len(texts) > 100, name
        assert held_out.isdisjoint(texts)


def test_of_one_table_the_examples_are_of_the_split_that_merge_trains_on(tmp_path, synthetic_file):
    sample = resources.files("components.merge") / "sample"
    splits = [pd.read_csv(str(sample / f"{name}.csv")) for name in SPLITS]
    table = tmp_path / "all.csv"
    pd.concat(splits).to_csv(table, index=False)
    settings = MergeSettings(dataset=str(table), seed=5)
    labels = merge(settings, [synthetic_file.parent], tmp_path / "merged").labels
    train = read_frame(tmp_path / "merged", TRAIN, labels)
    real = set(train["text"][train["source"] == "real"])
    shown = {text for texts in train_examples(settings).values() for text in texts}
    assert shown == real
