"""The search space, and a study that is stopped and resumes."""

import shutil
import time
from dataclasses import replace

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.model.history import TRIALS_FILE, read_trials
from components.data_files import read_mapping
from components.errors import InputError, WorkError
from components.options import read_assignments, with_options
from components.train.search.space import SPACE, Parameter, read_space, with_values
from components.train.search.study import BEST, search
from components.train.settings import TrainSettings, changed_settings, to_arguments
from tests.forked import start_module
from tests.tiny_encoder import write_tiny_encoder

SETTINGS = TrainSettings(epochs=2)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn", "Zl", "Zp"]))
RATE = Parameter("learning_rate", "float", low=1e-4, high=1e-2, log=True)
SIZE = Parameter("batch_size", "categorical", choices=[8, 16])


@pytest.fixture(autouse=True, scope="module")
def _quiet():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def space_file(tmp_path, text):
    path = tmp_path / "space.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_space_that_comes_with_the_project_is_read():
    space = read_space(str(SPACE), TrainSettings())
    assert {"learning_rate", "lora_rank"} <= {each.name for each in space}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learnin_rate: {kind: float, low: 0.1, high: 0.2}", "Did you mean learning_rate"),
        ("learning_rate: {low: 0.1, high: 0.2}", "learning_rate: has no kind"),
        ("learning_rate: {kind: double, low: 0.1, high: 0.2}", "learning_rate: kind='double'"),
        ("learning_rate: {kind: float, lo: 0.1, high: 0.2}", "option 'lo': is not known"),
        (
            "learning_rate: {kind: float, low: 0.2, high: 0.1}",
            "search space: learning_rate: low=0.2: must be below",
        ),
        ("learning_rate: {kind: float, low: .nan, high: 0.1}", "must be below"),
        ("learning_rate: {kind: float, low: 0, high: 0.1, log: true}", "log needs a range above 0"),
        ("learning_rate: {kind: float, low: 0.1, high: 2}", "learning_rate=2.0: must be between"),
        ("learning_rate: {kind: float, low: 0.1, high: 0.2, log: yes}", "learning_rate: log='yes'"),
        ("lora_rank: {kind: categorical, choices: 8}", "search space: lora_rank: choices=8: must"),
        ("lora_rank: {kind: categorical, choices: [8, 16, 8]}", "each once"),
        ("lora_rank: {kind: float, low: 1, high: 8}", "lora_rank: kind='float'"),
        ("lora_rank: {kind: int, low: 1.5, high: 8}", "must be whole numbers"),
        ("lora_rank: {kind: int, low: 0, high: 8}", "lora_rank=0: must be between"),
        ("batch_size: {kind: int, low: 16, high: 18}", "batch_size=17: cannot be shared evenly"),
        ("lora_rank: {kind: categorical, choices: [8]}", "two or more different"),
        ("lora_rank: {kind: categorical, choices: [8, 8.5]}", "lora_rank=8.5: must be int"),
        (
            "lora_rank: {kind: categorical, choices: [8, 16], low: 4}",
            "choices: have a range",
        ),
        ("lora_rank: {kind: int, low: 4, high: 8, choices: [4, 8]}", "are beside kind='int'"),
        ("target_modules: {kind: categorical, choices: [[query], [key]]}", "numbers or words"),
        ("- learning_rate", "must hold names and values"),
        ("learning_rate: [", "is not valid YAML"),
        ("", "holds no settings"),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_space(space_file(tmp_path, text), replace(SETTINGS, accumulation_steps=2))


@given(st.floats(allow_nan=True), st.floats(allow_nan=True), st.booleans())
def test_a_range_is_refused_or_every_draw_lies_in_it(low, high, log):
    try:
        parameter = Parameter("learning_rate", "float", low=low, high=high, log=log)
        for value in parameter.examples():
            with_values(SETTINGS, {"learning_rate": value})
    except InputError:
        return
    assert 0 <= low < high <= 1
    optuna.distributions.FloatDistribution(low, high, log=log)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "learning_rate": st.floats(0, 1),
            "epochs": st.integers(1, 1000),
            "task": TEXTS,
            "torch_compile": st.booleans(),
            "target_modules": st.lists(TEXTS),
        },
    )
)
def test_arguments_give_the_same_settings_again(values):
    settings = TrainSettings(**values)
    arguments = to_arguments(changed_settings(settings))
    assignments = [each.removeprefix("--set=") for each in arguments]
    assert with_options(TrainSettings, read_assignments(assignments)) == settings


def closeness(settings):
    """A score with its maximum at a learning rate of 0.002 and a batch of 8."""
    return 1 - abs(settings.learning_rate - 2e-3) * 100 - (settings.batch_size - 8) / 100


def run(folder, score=closeness, trials=12, settings=SETTINGS, space=(RATE, SIZE), data="sha"):
    return search(score, settings, space, trials, folder / "study.sqlite", data)


def trials_of(folder):
    return read_trials(folder / TRIALS_FILE)


def scores(folder):
    return [each.macro_f1 for each in trials_of(folder)]


def best_of(folder):
    return with_options(TrainSettings, read_mapping(folder / BEST, "settings file"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a search that was never stopped."""
    folder = tmp_path_factory.mktemp("whole")
    run(folder)
    return folder


def test_it_finds_good_settings_and_writes_them(whole):
    best = best_of(whole)
    assert max(scores(whole)) == pytest.approx(closeness(best))
    assert best.learning_rate == pytest.approx(2e-3, rel=0.5)
    assert (best.batch_size, best.epochs) == (8, SETTINGS.epochs)
    assert [each.number for each in trials_of(whole)] == [*range(1, 13)]


def test_a_stopped_search_ends_like_one_that_was_not(whole, tmp_path):
    # In the first trial, in the same again, among the random ones, and when TPE has begun.
    for done_before_the_stop in (0, 0, 3, 8):
        seen = []

        def score(settings, seen=seen, most=done_before_the_stop):
            if len(seen) == most:
                raise KeyboardInterrupt
            seen.append(settings)
            return closeness(settings)

        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, score)
    run(tmp_path)
    assert trials_of(tmp_path) == trials_of(whole)


def test_a_finished_search_makes_no_more_trials_and_a_longer_one_makes_the_rest(tmp_path):
    calls = []

    def counted(settings):
        calls.append(settings)
        return closeness(settings)

    run(tmp_path, counted, trials=2)
    run(tmp_path, counted, trials=2)
    assert len(calls) == 2
    run(tmp_path, counted, trials=3)
    assert len(calls) == 3


def test_another_seed_searches_elsewhere(whole, tmp_path):
    run(tmp_path, trials=2, settings=replace(SETTINGS, seed=1000))
    assert set(scores(tmp_path)).isdisjoint(scores(whole))


def test_a_trial_that_fails_is_recorded_and_skipped(tmp_path):
    def score(settings):
        if settings.batch_size == 16:
            raise RuntimeError("out of memory")
        return closeness(settings)

    best = run(tmp_path, score, trials=4)
    assert best.batch_size == 8
    failed = {each.settings["batch_size"]: each.macro_f1 is None for each in trials_of(tmp_path)}
    assert failed == {8: False, 16: True}


def test_a_search_in_which_every_trial_fails_says_so(tmp_path):
    def score(_):
        raise RuntimeError("out of memory")

    with pytest.raises(WorkError, match="no trial succeeded"):
        run(tmp_path, score, trials=2)
    assert scores(tmp_path) == [None, None]


def test_bad_input_ends_the_search_and_loses_nothing(tmp_path):
    def score(settings):
        if settings.batch_size == 16:
            raise InputError("data", "is missing", "Give it")
        return closeness(settings)

    with pytest.raises(InputError, match="data: is missing"):
        run(tmp_path, score, trials=4)
    run(tmp_path, trials=4)
    assert len(scores(tmp_path)) == 4
    assert None not in scores(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"settings": replace(SETTINGS, epochs=3)}, "other settings"),
        ({"space": (replace(RATE, high=0.1), SIZE)}, "other space"),
        ({"data": "other"}, "other data"),
    ],
)
def test_a_study_of_another_search_is_refused(whole, tmp_path, change, message):
    shutil.copy(whole / "study.sqlite", tmp_path)
    with pytest.raises(InputError, match=message):
        run(tmp_path, trials=20, **change)


def test_a_killed_search_resumes(small_dataset, tmp_path):
    encoder = write_tiny_encoder(tmp_path / "encoder")
    space = space_file(tmp_path, "learning_rate: {kind: float, low: 0.001, high: 0.01, log: true}")
    arguments = [
        *(f"--dataset={small_dataset}", f"--study={tmp_path}/study/study.sqlite"),
        *(f"--space={space}", "--trials=2", f"--set=base_model={encoder}"),
        "--set=epochs=1 max_length=32",
    ]
    log = tmp_path / "stderr"
    killed = start_module("components.train.search", arguments, tmp_path)
    while killed.is_alive() and not (log.exists() and "trial 2/2" in log.read_text()):
        time.sleep(0.01)
    killed.kill()
    killed.join()
    (before,) = trials_of(tmp_path / "study")
    resumed = start_module("components.train.search", arguments, tmp_path)
    resumed.join(timeout=300)
    assert resumed.exitcode == 0, log.read_text()
    assert "trial 1/2" not in log.read_text()
    after = trials_of(tmp_path / "study")
    assert after[0] == before
    assert None not in scores(tmp_path / "study")
    assert len(after) == 2
    assert best_of(tmp_path / "study").base_model == str(encoder)
