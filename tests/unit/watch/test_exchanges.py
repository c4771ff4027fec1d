"""Requests and answers joined by their id, and the sample of them."""

from hypothesis import given
from hypothesis import strategies as st

from components.watch import exchanges
from components.watch.exchanges import sample
from components.watch.records import Problems, Record


def log(count):
    pairs = [(str(number), kind) for number in range(count) for kind in ("request", "response")]
    return [Record(name, kind, f"{kind} {name}".encode(), "place") for name, kind in pairs]


@given(st.integers(1, 60), st.integers(1, 80), st.integers(0, 5), st.randoms())
def test_whatever_their_order_a_sample_has_whole_exchanges_and_is_the_same(
    count, most, seed, order
):
    records, problems = log(count), Problems()
    kept, requests = sample(records, most, seed, problems)
    assert requests == count
    assert len(kept) == min(count, most)
    assert all(each.request.split()[1] == each.response.split()[1] for each in kept)
    order.shuffle(records)
    again, _ = sample(records, most, seed, problems)
    assert sorted(each.request for each in again) == sorted(each.request for each in kept)
    assert problems.counts == {}


def test_another_seed_draws_another_sample_and_every_request_may_be_drawn():
    drawn = [sample(log(100), 10, seed, Problems())[0] for seed in range(100)]
    numbers = [sorted(each.request for each in kept) for kept in drawn]
    assert len(set(map(tuple, numbers))) == 100
    assert len({name for each in numbers for name in each}) == 100


def test_ids_that_occur_twice_and_answers_alone_are_counted():
    twice = [Record("1", "request", b"a", "first"), Record("1", "request", b"b", "second")]
    problems = Problems()
    kept, requests = sample([*twice, Record("2", "response", b"c", "third")], 10, 0, problems)
    assert [each.request for each in kept] == [b"a"]
    assert requests == 2
    assert problems.places == {
        "a second request of the same id": "second",
        "an answer without its request": "third",
    }


def test_large_bodies_are_fewer(monkeypatch):
    monkeypatch.setattr(exchanges, "_MOST_BYTES", 1000)
    records = [Record(str(each), "request", b"x" * 300, "place") for each in range(20)]
    assert len(sample(records, 100, 0, Problems())[0]) == 3
