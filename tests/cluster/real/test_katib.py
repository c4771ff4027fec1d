"""A search by Katib's own controllers, whose trials are the train step in pods of their own."""

import pytest
from kubernetes import client

from components.artifacts.model import bundle
from components.artifacts.model.history import read_history
from components.options import settings_of
from components.train.cluster.katib import Plan, experiment
from components.train.cluster.pods import Access, PodResources
from components.train.search.space import Parameter
from components.train.settings import TrainSettings
from pipelines.parameters import read_parameters
from tests.cluster.overlays import NAMESPACE
from tests.cluster.real.site import ENDPOINT, wait_for
from tests.cluster.real.train_call import train_call
from tests.images.make import TOP
from tests.manifests.rendering import MANIFESTS

pytestmark = pytest.mark.cluster
_EXPERIMENTS = ("kubeflow.org", "v1beta1", NAMESPACE, "experiments")
_TRIALS = (*_EXPERIMENTS[:-1], "trials")
RUNTIME = MANIFESTS / "examples" / "training-runtime.yaml"
_LABEL = "katib.kubeflow.org/experiment"
_ENDS = {"Succeeded", "Failed"}
_ACCESS = Access(keys="object-storage", endpoint=ENDPOINT, region="us-east-1")
# A node with two CPUs has room for two such pods.
_RESOURCES = PodResources(cpu="500m", memory="2Gi", gpus=0)


@pytest.fixture
def search(everywhere, katib, lock, small_dataset_uri):
    """A search of a space to its end: its status, and its trials by name."""
    everywhere.clear()
    api = client.CustomObjectsApi(katib.server.api("admin"))

    def call(name, space):
        content = manifest(name, space, lock["evaluate"], small_dataset_uri)
        api.create_namespaced_custom_object(*_EXPERIMENTS, content)
        return wait_for(lambda: ended(api, name)), trials(api, name)

    return call


def manifest(name, space, image, dataset):
    plan = Plan("random", trials=4, parallel=2)
    return experiment(name, settings(), space, image, dataset, plan, _RESOURCES, _ACCESS)


def settings():
    smoke = TOP / "pipelines" / "params" / "smoke.yaml"
    return settings_of(TrainSettings, **read_parameters(smoke, ["train_max_length=32"]))


def conditions(status):
    """The conditions that hold."""
    return {each["type"] for each in status["conditions"] if each["status"] == "True"}


def ended(api, name):
    found = api.get_namespaced_custom_object_status(*_EXPERIMENTS, name)
    status = found.get("status", {"conditions": []})
    return status if conditions(status) & _ENDS else None


def trials(api, name):
    selector = f"{_LABEL}={name}"
    found = api.list_namespaced_custom_object(*_TRIALS, label_selector=selector)
    return {each["metadata"]["name"]: each for each in found["items"]}


def test_the_train_step_searches_and_then_trains(
    everywhere,
    trainer,
    katib,  # noqa: ARG001
    small_dataset_uri,
    tmp_path,
):
    everywhere.clear()
    trainer.kubectl("apply", "--server-side", f"--namespace={NAMESPACE}", f"--filename={RUNTIME}")
    size = ("train_search_trials=4", "train_search_parallel=2", "train_epochs=1")
    call = train_call(small_dataset_uri, *size)
    done = everywhere.run(call)
    assert done.succeeded, done.log
    everywhere.files.get(call.outputs["model"], str(tmp_path / "model"), recursive=True)
    found = read_history(tmp_path / "model").trials
    assert len(found) == 4
    best = max(found, key=lambda each: each.macro_f1 or 0.0)
    trained = bundle.verify(tmp_path / "model").facts["settings"]
    assert {name: trained[name] for name in best.settings} == pytest.approx(best.settings)


def test_a_search_goes_on_after_a_trial_that_fails(search):
    # With seed 0 the algorithm draws the second choice once in four times.
    space = [Parameter("lora_rank", "categorical", choices=[4, 0, 8, 16])]
    status, found = search("goes-on", space)
    assert conditions(status) & _ENDS == {"Succeeded"}
    failed = {name for name, each in found.items() if "Failed" in conditions(each["status"])}
    assert len(failed) == 1
    assert status["currentOptimalTrial"]["bestTrialName"] in found.keys() - failed


def test_a_search_whose_trials_fail_ends(search):
    space = [Parameter("peft_method", "categorical", choices=["none", "nothing"])]
    status, _ = search("fails", space)
    assert conditions(status) & _ENDS == {"Failed"}
