"""The Experiment against Katib's own API, and its trial against the train step's command."""

import copy
import json
import re
import shlex
import subprocess
import sys
from dataclasses import replace

import pytest
import yaml
from kubeflow_katib_api.models.v1beta1_experiment import V1beta1Experiment
from kubeflow_trainer_api.models.io_k8s_api_batch_v1_job import IoK8sApiBatchV1Job

from components.errors import InputError
from components.options import read_assignments, with_options
from components.train.cluster.katib import Plan, experiment
from components.train.cluster.pods import LABEL, Access, PodResources
from components.train.search.space import METRIC, SPACE, Parameter, for_trial, read_space
from components.train.settings import TrainSettings

SETTINGS = TrainSettings(epochs=4, seed=3)
ACCESS = Access(keys="object-storage", endpoint="http://s3:9000")


def render(space=None, settings=SETTINGS, trials=10):
    space = read_space(str(SPACE), settings) if space is None else space
    plan, pod = Plan(trials=trials, parallel=1), PodResources()
    return experiment("emotion", settings, space, "image@sha256:1", "gs://d/m", plan, pod, ACCESS)


def spec(manifest):
    return manifest["spec"]


def job(manifest):
    return spec(manifest)["trialTemplate"]["trialSpec"]


def container(manifest):
    return job(manifest)["spec"]["template"]["spec"]["containers"][0]


def fits(manifest):
    """Compare a manifest with the fields of it that the APIs know."""
    taken = V1beta1Experiment.from_dict(manifest).to_dict()
    return taken == manifest and IoK8sApiBatchV1Job.from_dict(job(manifest)).to_dict() == job(
        manifest
    )


def test_the_apis_understand_all_of_it():
    assert fits(render())


@pytest.mark.parametrize(
    ("place", "field"),
    [
        (spec, "maxTrialCounts"),
        (lambda manifest: spec(manifest)["objective"], "objectiveMetric"),
        (lambda manifest: spec(manifest)["algorithm"], "algorithm"),
        (lambda manifest: spec(manifest)["parameters"][0]["feasibleSpace"], "minimum"),
        (lambda manifest: spec(manifest)["metricsCollectorSpec"]["collector"], "kinds"),
        (lambda manifest: spec(manifest)["trialTemplate"], "trialParameter"),
        (lambda manifest: job(manifest)["spec"], "backofLimit"),
        (container, "volumeMount"),
        (lambda manifest: container(manifest)["securityContext"], "runAsNonroot"),
    ],
)
def test_a_misspelt_field_does_not_fit(place, field):
    manifest = copy.deepcopy(render())
    place(manifest)[field] = {}
    assert not fits(manifest)


def test_trials_run_with_least_rights():
    pod = job(render())["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container(render())["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container(render())["securityContext"]["readOnlyRootFilesystem"] is True


def test_trials_have_an_account_keys_and_the_label_of_the_policies():
    template = job(render())["spec"]["template"]
    assert template["metadata"]["labels"] == {LABEL: "trial"}
    assert template["spec"]["serviceAccountName"] == "runner"
    assert container(render())["env"] == ACCESS.environment()


def test_katib_finds_the_container_and_the_metric():
    template = spec(render())["trialTemplate"]
    assert template["primaryContainerName"] == container(render())["name"]
    objective = spec(render())["objective"]
    assert objective == {"type": "maximize", "objectiveMetricName": METRIC}


@pytest.mark.parametrize(("trials", "ends_at"), [(1, 1), (4, 2), (10, 3)])
def test_a_search_may_lose_a_quarter_of_its_trials(trials, ends_at):
    assert spec(render(trials=trials))["maxFailedTrialCount"] == ends_at


def assignments(manifest):
    """A value for every parameter as a string, which is what Katib assigns."""
    for parameter in spec(manifest)["parameters"]:
        space = parameter["feasibleSpace"]
        yield parameter["name"], space["list"][-1] if "list" in space else space["max"]


def arguments(manifest, values):
    """The arguments of a trial, with placeholders replaced in the Job's JSON, as Katib does it."""
    references = {
        each["name"]: each["reference"]
        for each in spec(manifest)["trialTemplate"]["trialParameters"]
    }
    pattern = re.compile(r"\$\{trialParameters\.([^{}]+)\}")
    text = pattern.sub(lambda match: values[references[match[1]]], json.dumps(job(manifest)))
    return json.loads(text)["spec"]["template"]["spec"]["containers"][0]["args"]


def settings_of(values):
    overrides = [each.removeprefix("--set=") for each in values if each.startswith("--set=")]
    return with_options(TrainSettings, read_assignments(overrides))


def test_a_trial_gets_every_value_and_the_settings_that_are_not_searched():
    space = [
        Parameter("learning_rate", "float", low=1e-5, high=1e-3, log=True),
        Parameter("lora_rank", "int", low=4, high=64),
        Parameter("peft_method", "categorical", choices=["lora", "dora"]),
        Parameter("gradient_checkpointing", "categorical", choices=[False, True]),
    ]
    manifest = render(space)
    assert fits(manifest)
    values = dict(assignments(manifest))
    # Katib reads the range of an int as whole numbers.
    assert values["lora_rank"] == "64"
    settings = settings_of(arguments(manifest, values))
    assert (settings.learning_rate, settings.lora_rank) == (1e-3, 64)
    assert (settings.peft_method, settings.gradient_checkpointing) == ("dora", True)
    assert (settings.epochs, settings.seed) == (4, 3)


@pytest.mark.parametrize("choice", ["two words", 'a"b', "$HOME", "", "a;b"])
def test_a_choice_that_is_no_word_is_refused(choice):
    with pytest.raises(InputError, match="no word that Katib"):
        render([Parameter("task", "categorical", choices=["emotion", choice])])


def test_settings_survive_the_shell_that_katib_wraps_a_trial_in():
    chosen = replace(SETTINGS, target_modules=["query", "value"], task="my tasks/tickets.yaml")
    args = container(render([], settings=chosen))["args"]
    assert settings_of(args) == settings_of(shlex.split(" ".join(args)))
    assert settings_of(args) == for_trial(chosen)


@pytest.mark.parametrize("value", ["1e-05", "0.00001", "1E-5"])
def test_numbers_are_read_however_katib_writes_them(value):
    manifest = render([Parameter("learning_rate", "float", low=1e-5, high=1e-3, log=True)])
    assert settings_of(arguments(manifest, {"learning_rate": value})).learning_rate == 1e-5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"trials": 0}, "trials=0"),
        ({"trials": 2, "parallel": 3}, "parallel=3: is more than trials=2"),
        ({"algorithm": "grid"}, "algorithm='grid': is not known"),
    ],
)
def test_an_impossible_plan_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        Plan(**values)


def test_the_command_line_prints_it():
    options = "--image i --dataset gs://b/d --trials 5 --parallel 1 --set epochs=2"
    command = [sys.executable, "-m", "components.train.cluster", "katib", *shlex.split(options)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    manifest = yaml.safe_load(done.stdout)
    assert fits(manifest)
    assert spec(manifest)["maxTrialCount"] == 5
    assert "--set=epochs=2" in container(manifest)["args"]
