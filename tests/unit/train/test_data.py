from collections import Counter

import pandas as pd
import pytest
from transformers import AutoTokenizer

from components.train.loop.data import LengthGroups, tokenise, tokens_sha256
from components.train.settings import TrainSettings
from tests.tiny_encoder import write_tiny_encoder

LENGTHS = [3, 50, 7, 21, 9, 40, 12, 33, 5, 60, 18, 27, 8, 44, 15, 30, 6, 55, 11]


def batches(order, size):
    return [order[start : start + size] for start in range(0, len(order), size)]


def test_every_row_comes_once_per_epoch_in_another_order():
    rows = LengthGroups(LENGTHS, 4, 1, seed=0)
    first = list(rows)
    rows.set_epoch(1)
    second = list(rows)

    assert sorted(first) == sorted(second) == list(range(len(LENGTHS)))
    assert first != second
    rows.set_epoch(0)
    assert list(rows) == first


def test_batches_hold_rows_of_similar_length_in_random_order():
    lengths = list(range(400))
    longest = [max(batch) for batch in batches(list(LengthGroups(lengths, 4, 1, seed=0)), 4)]
    spread = [max(batch) - min(batch) for batch in batches(list(LengthGroups(lengths, 4, 1, 0)), 4)]

    assert sum(spread) / len(spread) < 400 / 4
    assert longest != sorted(longest, reverse=True)


@pytest.mark.parametrize("shares", [2, 4])
def test_several_processes_get_whole_batches(shares):
    single = list(LengthGroups(LENGTHS, 4, 1, seed=0))
    shared = list(LengthGroups(LENGTHS, 4, shares, seed=0))

    assert len(shared) == len(LengthGroups(LENGTHS, 4, shares, seed=0)) == 20
    assert shared[: len(single)] == single
    assert set(Counter(shared).values()) == {1, 2}


@pytest.mark.parametrize(("share", "target"), [(0.5, [0.5, 0.4, 0.1]), (1.0, [0, 0.8, 0.2])])
def test_targets_mix_the_label_with_what_a_judge_sees(share, target, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(write_tiny_encoder(tmp_path / "tiny"))
    rows = pd.DataFrame({"text": ["one", "two"], "label": [0, 2]})
    rows["label_probabilities"] = [[0, 0.8, 0.2], None]

    soft = TrainSettings(soft_label_share=share)
    data = tokenise(rows, tokenizer, soft, tmp_path / "soft.arrow")
    hard = tokenise(rows, tokenizer, TrainSettings(), tmp_path / "hard.arrow")

    assert data["target"][0] == pytest.approx(target)
    assert data["target"][1] == [0, 0, 1]
    assert list(data["labels"]) == [0, 2]
    assert "target" not in hard.column_names


def test_rows_of_which_none_is_judged_have_no_targets(tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(write_tiny_encoder(tmp_path / "tiny"))
    rows = pd.DataFrame({"text": ["one", "two"], "label": [0, 2], "label_probabilities": None})

    data = tokenise(rows, tokenizer, TrainSettings(soft_label_share=0.5), tmp_path / "rows.arrow")

    assert "target" not in data.column_names


def test_what_a_checkpoint_knows_of_its_tokens_is_what_decides_them(tmp_path, monkeypatch):
    folder, settings = write_tiny_encoder(tmp_path), TrainSettings()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    known = tokens_sha256(tokenizer, settings)

    left = AutoTokenizer.from_pretrained(folder, truncation_side="left", padding_side="left")
    assert tokens_sha256(left, settings) == known
    cased = AutoTokenizer.from_pretrained(folder, do_lower_case=False)
    other = {known, tokens_sha256(cased, settings)}
    other.add(tokens_sha256(tokenizer, TrainSettings(max_length=64)))

    def at_the_other_end(reader, length):
        reader.enable_truncation(max_length=length, direction="left")
        return reader

    monkeypatch.setattr("components.train.loop.data.cutting", at_the_other_end)
    other.add(tokens_sha256(tokenizer, settings))
    assert len(other) == 4
