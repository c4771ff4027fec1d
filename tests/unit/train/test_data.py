from collections import Counter

import pytest

from components.train.loop.data import LengthGroups

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
