"""The TrainJob against Kubeflow Trainer's own API, and its command against the train step."""

import copy
import shlex
import subprocess
import sys
from dataclasses import replace

import pytest
import yaml
from click.testing import CliRunner
from kubeflow_trainer_api.models.trainer_v1alpha1_train_job import TrainerV1alpha1TrainJob

from components.errors import InputError
from components.options import read_assignments, with_options
from components.train.cluster.__main__ import main
from components.train.cluster.pods import Access, PodResources
from components.train.cluster.train_job import RUNTIME, train_job
from components.train.settings import TrainSettings

SETTINGS = TrainSettings(
    learning_rate=1e-5, batch_size=32, target_modules=["query"], torch_compile=True
)
ACCESS = Access(keys="object-storage", endpoint="http://s3:9000", region="us-east-1")


def render(
    settings=SETTINGS,
    nodes=2,
    gpus=2,
    dataset="gs://data/merged",
    output="s3://models/m",
    access=ACCESS,
):
    wanted, pod = replace(settings, nodes=nodes), PodResources(gpus=gpus)
    image, environment = "image@sha256:1", access.environment()
    return train_job("emotion", wanted, image, dataset, output, pod, environment)


def trainer(job):
    return job["spec"]["trainer"]


def understood(job):
    """The fields of a manifest that the API knows."""
    return TrainerV1alpha1TrainJob.from_dict(job).to_dict()


@pytest.mark.parametrize("gpus", [0, 2])
def test_the_api_understands_all_of_it(gpus):
    job = render(gpus=gpus)
    assert understood(job) == job


@pytest.mark.parametrize(
    ("place", "field"),
    [
        (lambda job: job["spec"], "runtimeRefs"),
        (lambda job: job["spec"]["runtimeRef"], "names"),
        (trainer, "numProcsPerNode"),
        (lambda job: trainer(job)["resourcesPerNode"], "limit"),
        (lambda job: trainer(job)["env"][0], "values"),
    ],
)
def test_a_misspelt_field_is_not_understood(place, field):
    job = copy.deepcopy(render())
    place(job)[field] = {}
    assert understood(job) != job


@pytest.mark.parametrize(
    ("place", "field", "value"),
    [(trainer, "numNodes", "two"), (trainer, "args", "all"), (trainer, "env", "none")],
)
def test_a_wrong_type_is_refused(place, field, value):
    job = copy.deepcopy(render())
    place(job)[field] = value
    with pytest.raises(ValueError, match="validation error"):
        understood(job)


def test_its_runtime_is_the_namespace_s_own():
    reference = {"apiGroup": "trainer.kubeflow.org", "kind": "TrainingRuntime"}
    assert render()["spec"]["runtimeRef"] == {**reference, "name": RUNTIME}


def test_its_pods_have_the_keys():
    assert trainer(render())["env"] == ACCESS.environment()
    variables = {each["name"]: each for each in trainer(render())["env"]}
    assert variables["AWS_ENDPOINT_URL"]["value"] == "http://s3:9000"
    assert variables["AWS_DEFAULT_REGION"]["value"] == "us-east-1"
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        reference = {"name": "object-storage", "key": key}
        assert variables[key]["valueFrom"] == {"secretKeyRef": reference}


def test_an_account_with_an_identity_of_its_own_needs_no_keys():
    variables = trainer(render(access=Access()))["env"]
    assert [each["name"] for each in variables] == ["HOME"]


@pytest.mark.parametrize(
    ("values", "message"),
    [({"account": ""}, "account: is empty"), ({"endpoint": "s3:9000"}, "must begin with http")],
)
def test_an_impossible_access_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        Access(**values)


def test_nodes_run_one_process_per_gpu_by_default():
    assert trainer(render(gpus=4))["numProcPerNode"] == 4
    assert trainer(render(gpus=0))["numProcPerNode"] == 1
    assert trainer(render(TrainSettings(processes=2, batch_size=16)))["numProcPerNode"] == 2


def test_its_arguments_say_the_same_settings_again():
    arguments = trainer(render())["args"]
    overrides = [each.removeprefix("--set=") for each in arguments if each.startswith("--set=")]
    assert with_options(TrainSettings, read_assignments(overrides)) == SETTINGS


@pytest.mark.parametrize("choice", [{"search_trials": 3}, {"ablation": True}])
def test_a_search_or_an_ablation_is_refused(choice):
    with pytest.raises(InputError, match="does not apply to a TrainJob"):
        render(TrainSettings(**choice), nodes=1)


def test_a_batch_that_nodes_cannot_share_evenly_is_refused():
    with pytest.raises(InputError, match="batch_size=32: cannot be shared evenly among 6 passes"):
        render(gpus=3)


@pytest.mark.parametrize("place", ["dataset", "output"])
def test_a_folder_that_other_nodes_do_not_find_is_refused(place):
    with pytest.raises(InputError, match="folder 'runs/here': is not in object storage"):
        render(**{place: "runs/here"})


@pytest.mark.slow
def test_its_command_starts_torchrun_and_the_train_step(tmp_path):
    spec = trainer(render(nodes=1, gpus=1, dataset="gs://data/merged"))
    assert spec["command"][0] == "python"
    # There is no object storage here: of an option given twice the last one counts.
    command = [sys.executable, *spec["command"][1:], *spec["args"], f"--dataset={tmp_path}/none"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert f"{tmp_path}/none: there is no such file or folder" in done.stderr


def test_the_command_line_prints_it():
    options = "--image i --dataset gs://b/d --output gs://b/m --nodes 2 --gpus 1 --set epochs=7"
    options += " --keys secret --endpoint http://s3 --region r"
    command = [
        sys.executable,
        "-m",
        "components.train.cluster",
        "train-job",
        *shlex.split(options),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    job = yaml.safe_load(done.stdout)
    assert understood(job) == job
    assert "--set=epochs=7" in trainer(job)["args"]
    access = Access(keys="secret", endpoint="http://s3", region="r")
    assert trainer(job)["env"] == access.environment()


def test_an_empty_image_is_refused_since_trainer_would_run_another():
    options = ["train-job", "--image", "", "--dataset", "gs://b/d", "--output", "gs://b/m"]
    done = CliRunner().invoke(main, options)
    assert done.exit_code == 1
    assert "manifests: --image: is empty" in done.output
