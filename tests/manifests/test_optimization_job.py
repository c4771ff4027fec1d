"""The OptimizationJob against what is known of its API, and its trial against the train step."""

import copy
import re
import shlex
import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from kubeflow_trainer_api.models.trainer_v1alpha1_train_job_spec import TrainerV1alpha1TrainJobSpec

from components.errors import InputError
from components.options import read_assignments, with_options
from components.train.cluster.katib import experiment
from components.train.cluster.optimization_job import Plan, optimization_job
from components.train.cluster.pods import Access, PodResources
from components.train.cluster.train_job import RUNTIME
from components.train.search.space import METRIC, SPACE, Parameter, for_trial, read_space
from components.train.settings import TrainSettings
from tests.fakes.optimization_job_schema import refusals

SETTINGS = TrainSettings(epochs=4, seed=3)
ACCESS = Access(keys="object-storage", endpoint="http://s3:9000")
CHOICES = [
    Parameter("peft_method", "categorical", choices=["lora", "dora"]),
    Parameter("gradient_checkpointing", "categorical", choices=[False, True]),
]
RANGES = [
    Parameter("learning_rate", "float", low=1e-5, high=1e-3, log=True),
    Parameter("lora_rank", "int", low=4, high=64),
]


def render(space=None, settings=SETTINGS, **plan):
    space = read_space(str(SPACE), settings) if space is None else space
    plan = Plan(**({"trials": 10, "parallel": 2} | plan))
    pod = PodResources()
    return optimization_job("search", settings, space, "i@sha256:1", "gs://d", plan, pod, ACCESS)


def spec(job):
    return job["spec"]


def trial(job):
    return spec(job)["trainJobTemplate"]["spec"]


def trainer(job):
    return trial(job)["trainer"]


def fits(job):
    """Whether the API would take all of it: the trial by the package's own type."""
    understood = TrainerV1alpha1TrainJobSpec.from_dict(trial(job)).to_dict()
    return refusals(job) == [] and understood == trial(job)


@pytest.mark.parametrize(
    ("space", "plan"),
    [
        (None, {}),
        (RANGES + CHOICES, {"trials": 100, "parallel": 100}),
        (CHOICES, {"algorithm": "grid", "trials": 4}),
    ],
)
def test_the_api_takes_all_of_it(space, plan):
    assert fits(render(space, **plan))


@pytest.mark.parametrize(
    ("place", "field"),
    [
        (spec, "numTrial"),
        (lambda job: spec(job)["objectives"][0], "type"),
        (lambda job: spec(job)["searchAlgorithm"], "tpe"),
        (lambda job: spec(job)["parameters"][0]["searchSpace"], "normal"),
        (lambda job: spec(job)["trainJobTemplate"], "specs"),
        (trial, "runtimeRefs"),
        (trainer, "numProcsPerNode"),
    ],
)
def test_a_misspelt_field_does_not_fit(place, field):
    job = copy.deepcopy(render())
    place(job)[field] = {}
    assert not fits(job)


def test_trainer_looks_for_the_score_that_a_training_reports():
    assert spec(render())["objectives"] == [{"metric": METRIC, "direction": "Maximize"}]


def test_a_random_search_has_the_seed_of_the_settings():
    assert spec(render())["searchAlgorithm"] == {"random": {"seed": 3}}
    assert spec(render(CHOICES, algorithm="grid", trials=4))["searchAlgorithm"] == {"grid": {}}


def test_trials_run_by_the_namespace_s_runtime_with_the_keys():
    assert trial(render())["runtimeRef"]["name"] == RUNTIME
    assert trainer(render())["env"] == ACCESS.environment()
    assert trainer(render())["numNodes"] == 1


def arguments(job, values):
    """The train step's arguments, with each variable replaced as Kubernetes does it."""
    variables = {f"KUBEFLOW_TRAINER_OPT_{name.upper()}": value for name, value in values.items()}
    pattern = re.compile(r"\$\(([A-Z_]+)\)")
    found = [pattern.sub(lambda match: variables[match[1]], each) for each in trainer(job)["args"]]
    return found[found.index("components.train") + 1 :]


def settings_of(values):
    overrides = [each.removeprefix("--set=") for each in values if each.startswith("--set=")]
    return with_options(TrainSettings, read_assignments(overrides))


def last(job):
    """The last value of every parameter, as the API has it."""
    for each in spec(job)["parameters"]:
        ((_, space),) = each["searchSpace"].items()
        yield each["name"], space["choices"][-1] if "choices" in space else space["max"]


def test_a_trial_gets_every_value_and_the_settings_that_are_not_searched():
    job = render(RANGES + CHOICES)
    values = dict(last(job))
    assert values["lora_rank"] == "64"
    settings = settings_of(arguments(job, values))
    assert (settings.learning_rate, settings.lora_rank) == (1e-3, 64)
    assert (settings.peft_method, settings.gradient_checkpointing) == ("dora", True)
    assert (settings.epochs, settings.seed) == (4, 3)
    assert settings_of(arguments(render([]), {})) == for_trial(SETTINGS)


numbers = st.floats(1e-12, 1e12)


@given(numbers, numbers, st.booleans())
def test_every_range_is_written_as_the_api_reads_numbers(one, other, log):
    low, high = sorted((one, other))
    if low == high:
        return
    job = render([Parameter("weight_decay", "float", low=low, high=high, log=log)])
    assert fits(job)
    ((_, space),) = spec(job)["parameters"][0]["searchSpace"].items()
    assert (float(space["min"]), float(space["max"])) == (low, high)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"trials": 0}, "trials=0"),
        ({"trials": 101}, "trials=101: must be between 1 and 100"),
        ({"trials": 2, "parallel": 3}, "parallel=3: is more than trials=2"),
        ({"algorithm": "tpe"}, "algorithm='tpe': is not known"),
    ],
)
def test_an_impossible_plan_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        Plan(**values)


@pytest.mark.parametrize(
    ("space", "trials", "message"),
    [
        (RANGES + CHOICES, 4, "takes choices only, and learning_rate, lora_rank"),
        (CHOICES, 5, "trials=5: is more than the 4 points"),
    ],
)
def test_an_impossible_grid_is_refused(space, trials, message):
    with pytest.raises(InputError, match=message):
        render(space, algorithm="grid", trials=trials)


@pytest.mark.parametrize("choices", [list(range(101)), ["a", "b" * 63]])
def test_choices_that_the_api_refuses_are_refused(choices):
    space = [Parameter("seed", "categorical", choices=choices)]
    with pytest.raises(InputError, match="seed: choices: must be up to 100, of up to 64 char"):
        render(space)


@pytest.mark.parametrize("dataset", ["", "./merged", "file:///merged"])
@pytest.mark.parametrize("build", [optimization_job, experiment])
def test_rows_that_no_pod_could_read_are_refused(build, dataset):
    plan = Plan(algorithm="random", trials=4)
    with pytest.raises(InputError, match="is not in object storage"):
        build("search", SETTINGS, RANGES, "i", dataset, plan, PodResources(), ACCESS)


def test_the_command_line_prints_it():
    options = "--image i --dataset gs://b/d --trials 5 --parallel 1 --set epochs=2"
    command = [sys.executable, "-m", "components.train.cluster", "optimization-job"]
    done = subprocess.run(
        [*command, *shlex.split(options)], capture_output=True, text=True, check=True
    )
    job = yaml.safe_load(done.stdout)
    assert fits(job)
    assert spec(job)["numTrials"] == 5
    assert "--set=epochs=2" in trainer(job)["args"]
