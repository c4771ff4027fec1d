"""Two runs side by side."""

from dataclasses import replace

import numpy as np
import pytest

from components.artifacts.dataset import Description
from components.artifacts.evaluation.scores import Interval
from components.errors import InputError
from components.evaluate.side_by_side import __main__ as command
from components.evaluate.side_by_side.differences import Line, confusions, figures
from components.evaluate.side_by_side.page import render
from components.evaluate.side_by_side.runs import Run, have_same_test_rows, read_run
from tests.evaluations import EVALUATION, LABELS, scores_of, write_evaluation
from tests.pages import Page

WORSE_SCORES, WORSE_INTERVALS = scores_of(LABELS, np.array([0, 0, 1, 2, 2, 0]))
WORSE = replace(EVALUATION, test=WORSE_SCORES, intervals=WORSE_INTERVALS)
DATA = Description(
    labels=LABELS,
    rows=EVALUATION.rows,
    rows_by_label={"train": {"red": 14}},
    removed={"near_duplicate": 3},
    models={"llm": {"train": 31}},
    sha256={"test.parquet": "ab"},
)
FIRST = Run("20261126-080000", EVALUATION, DATA, {"epochs": 3, "seed": 0})
SECOND = Run(
    "20261126-090000",
    WORSE,
    replace(DATA, models={"other": {"train": 40}}, removed={}),
    {"epochs": 5, "seed": 0, "distill": True},
)


def page(first=FIRST, second=SECOND):
    return Page(render(first, second))


def test_both_runs_are_named_with_their_verdicts():
    words = page().words
    assert "A: 20261126-080000 Passed its gate." in words
    assert "B: 20261126-090000 Passed its gate." in words


def test_a_figure_stands_with_its_difference():
    line = figures(EVALUATION, WORSE)[0]
    assert (line.name, round(line.gain, 4)) == ("Accuracy", -0.1667)
    assert "Accuracy 83.3 %" in page().words
    assert "−16.7 ▼" in page().words


def test_less_of_an_error_is_better():
    assert Line("Log loss", 0.5, 0.4, lower_is_better=True).gain == pytest.approx(0.1)
    assert Line("Accuracy", 0.5, 0.4).gain == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("second", "is_clear"), [((0.6, 0.7), False), ((0.71, 0.8), True), ((0.1, 0.59), True)]
)
def test_a_difference_is_clear_if_the_intervals_do_not_overlap(second, is_clear):
    intervals = (Interval(0.6, 0.7), Interval(*second))
    assert Line("Accuracy", 0.65, 0.7, intervals=intervals).is_clear is is_clear


def test_the_confusion_that_changes_most_comes_first():
    assert [line.name for line in confusions(EVALUATION, WORSE)] == ["green taken for blue"]
    assert not confusions(EVALUATION, EVALUATION)


def test_only_settings_that_differ_are_shown():
    words = page().words
    assert "epochs 3 5" in words
    assert "distill – True" in words
    assert "seed 0 0" not in words
    assert "Both were trained with the same settings." in page(second=FIRST).words


def test_rows_are_counted_in_both():
    words = page().words
    assert "other 0 40 +40" in words
    assert "near duplicate 3 0 −3" in words


@pytest.mark.parametrize(
    ("second", "same"),
    [
        (SECOND, True),
        (replace(SECOND, data=None), None),
        (replace(SECOND, data=replace(DATA, sha256={"test.parquet": "cd"})), False),
    ],
)
def test_it_says_whether_the_test_rows_are_the_same(second, same):
    assert have_same_test_rows(FIRST, second) is same
    said = {True: "on the same rows.", None: "is not known here", False: "on different rows"}
    assert said[same] in page(second=second).words


def test_of_an_evaluation_alone_the_scores_are_shown():
    words = page(Run("a", EVALUATION), Run("b", WORSE)).words
    assert "Accuracy 83.3 %" in words
    assert words.count("They are not known here") == 2


def test_runs_of_different_tasks_are_refused():
    other = replace(EVALUATION, labels=("a", "b", "c"))
    with pytest.raises(InputError, match="run b: has the labels a, b, c, but run 2026"):
        render(FIRST, Run("b", other))


def test_what_is_in_a_name_is_no_markup():
    assert "<script>" not in render(replace(FIRST, name="<script>alert(1)</script>"), SECOND)


def test_a_run_is_read_from_its_folder(tmp_path):
    folder = tmp_path / "20261126-080000"
    folder.mkdir()
    write_evaluation(folder / "metrics.json")
    read = read_run(str(folder))
    assert (read.name, read.data, read.settings) == (folder.name, None, {})
    assert read.evaluation.test == EVALUATION.test


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(InputError, match=r"holds no metrics\.json"):
        read_run(str(tmp_path))


def test_the_command_writes_the_page(tmp_path, capsys):
    paths = [str(write_evaluation(tmp_path / name)) for name in ("a.json", "b.json")]
    output = tmp_path / "page.html"
    command.main([*paths, "--output", str(output)], standalone_mode=False)
    assert capsys.readouterr().out == f"{output}\n"
    assert "Two runs of the colour classifier" in Page(output.read_text()).words
