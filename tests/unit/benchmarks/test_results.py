"""The bench of the predictor measures a real server once, and says what it found."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.benchmarks.serve.contestants import CONTESTANTS, PLAIN, THIS, Contestant
from tests.benchmarks.serve.limit import batches
from tests.benchmarks.serve.measure import Trial, capacity_of, measure
from tests.benchmarks.serve.picture import draw, draw_spent
from tests.benchmarks.serve.results import Results
from tests.benchmarks.serve.rounds import Round, medians, spread
from tests.benchmarks.serve.tables import generator_share, spent, tables

CLIENTS = (2,)
LIMITS = {THIS: {"one by one": 1000.0, "batches": 2000.0}}
SERVER = Contestant(
    title="label server",
    command=lambda place: [str(place.python), "-m", "tests.fakes.label_server", str(place.port)],
    predict="/predict",
    ready="/ready",
    body=CONTESTANTS[THIS].body,
    labels=CONTESTANTS[THIS].labels,
)
BROKEN = replace(SERVER, command=lambda _: [sys.executable, "-c", "raise SystemExit(1)"])


def trial(folder: Path) -> Trial:
    return Trial(
        model=folder,
        texts=["so glad", "so sad", "so happy", "what a day"],
        labels=["joy", "sadness", "joy", "joy"],
        clients=CLIENTS,
        seconds=0.2,
        warm_up=0.0,
        arrivals="even",
        threads=1,
    )


def run(contestant: Contestant, folder: Path, conditions: dict[str, int]) -> Results:
    results = Results(folder / "results.json", conditions)
    python = Path(sys.executable)
    measure(contestant, trial(folder), results, folder / "work", python, lambda: 100.0)
    return results


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory):
    """A folder with the results of the label server, and the results."""
    folder = tmp_path_factory.mktemp("bench")
    return folder, run(SERVER, folder, {"seconds": 1})


def test_everything_is_measured(measured):
    _, results = measured
    found = results.found
    assert found["accuracy"] == 0.75
    assert 0 < found["start"]["ready_seconds"] < found["start"]["answer_seconds"]
    assert found["start"]["megabytes"] > 1
    assert found["load 50%"]["requests"] == 10
    assert found["load 50%"]["failed"] == 0
    speed = capacity_of(found, CLIENTS)
    assert speed == found["clients 2"]["requests_per_second"] > 0
    many = found["many"]
    assert many["texts_per_second"] == pytest.approx(4 * many["requests_per_second"])


def test_what_is_measured_is_not_measured_again(measured):
    folder, results = measured
    assert run(BROKEN, folder, {"seconds": 1}).found == results.found


def test_other_conditions_make_results_void(measured):
    folder, _ = measured
    assert Results(folder / "results.json", {"seconds": 2}).found == {}


def test_tables_compare_with_the_plain_way(measured):
    _, results = measured
    twice = {**results.found["clients 2"], "requests_per_second": 20.0}
    once = {**twice, "requests_per_second": 10.0, "requests": 100, "refused": 25}
    found = {
        THIS: {**results.found, "clients 32": twice},
        PLAIN: {**results.found, "clients 32": once},
    }
    text = tables(found, (32,), 100.0, LIMITS)
    assert f"| {CONTESTANTS[THIS].title} | 20.0 | 2.0 |" in text
    assert f"| {CONTESTANTS[PLAIN].title} | 10.0 | 1.0 |" in text
    assert "(25% refused)" in text
    assert f"{results.found['many']['texts_per_second'] / 2000:.0%}" in text
    assert 0 < generator_share(found) <= 1.5
    parts = {"others": 900.4, "main": 180.0, "generator": 50.6}
    table = spent({THIS: {"spent": parts}, PLAIN: {"spent": {}}})
    assert table.splitlines()[2:] == [f"| {CONTESTANTS[THIS].title} | 900 | 180 | 51 |"]


def test_ratios_are_those_of_figures_of_one_round(measured):
    _, results = measured

    def one(speed: float, plain: float, limit: float) -> Round:
        closed = {"requests_per_second": speed}
        ours = {**results.found, "clients 32": closed}
        other = {**results.found, "clients 32": {"requests_per_second": plain}}
        return Round({THIS: ours, PLAIN: other}, {THIS: {"one by one": 1.0, "batches": limit}})

    rounds = [one(100.0, 10.0, 200.0), one(50.0, 4.0, 125.0), one(80.0, 10.0, 100.0)]
    text = spread(rounds)
    assert f"32 clients, int8 to: {CONTESTANTS[PLAIN].title} | 8.00 | 10.00 | 12.50 |" in text
    assert "32 clients, int8 to the best bare loop | 0.40 | 0.50 | 0.80 |" in text
    without_plain = rounds[0]._replace(found={THIS: rounds[0].found[THIS]})
    assert CONTESTANTS[PLAIN].title not in spread([*rounds, without_plain])
    found = medians([each.found for each in rounds])
    assert found[THIS]["clients 32"]["requests_per_second"] == 80.0
    assert found[PLAIN]["clients 32"]["requests_per_second"] == 10.0


def test_the_pictures_are_drawn(measured, tmp_path):
    _, results = measured
    draw({THIS: results.found}, CLIENTS, tmp_path / "serve.svg")
    parts = {"others": 900.0, "main": 180.0, "generator": 50.0}
    draw_spent({THIS: {"spent": parts}, PLAIN: {"spent": {}}}, tmp_path / "cores.svg")
    for name in ("serve.svg", "cores.svg"):
        assert "<svg" in (tmp_path / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        (THIS, {"predictions": [{"label": "joy", "probabilities": {"joy": 1.0}}]}),
        (
            PLAIN,
            {"predictions": [[{"label": "fear", "score": 0.1}, {"label": "joy", "score": 0.9}]]},
        ),
        ("infinity", {"data": [[{"label": "joy", "score": 0.9}, {"label": "fear", "score": 0.1}]]}),
    ],
)
def test_labels_are_read_from_answers(name, answer):
    assert CONTESTANTS[name].labels(answer) == ["joy"]


def test_batches_hold_every_text_once():
    assert batches("abcdefg", 3) == ["abc", "def", "g"]
