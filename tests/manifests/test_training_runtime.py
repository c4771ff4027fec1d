"""The runtime of the train step's TrainJobs against Trainer's API, Pod Security and the policies.

Trainer's own webhook takes it in tests/cluster/real/test_trainer.py.
"""

import copy

import pytest
from kubeflow_trainer_api.models.trainer_v1alpha1_training_runtime import (
    TrainerV1alpha1TrainingRuntime,
)

from components.train.cluster.pods import GRACE_SECONDS, LABEL, SCRATCH
from tests.manifests.network import Peer, allowed
from tests.manifests.pod_security import violations
from tests.manifests.rendering import OVERLAYS, example, named, of_kind, overlay

RUNTIME = example("training-runtime.yaml")


def replicated_job(runtime):
    (only,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    return only


def job(runtime):
    return replicated_job(runtime)["template"]["spec"]


def pod(runtime):
    return job(runtime)["template"]["spec"]


def understood(runtime):
    """The fields of a manifest that the API knows."""
    return TrainerV1alpha1TrainingRuntime.from_dict(runtime).to_dict()


def test_the_api_understands_all_of_it():
    assert understood(RUNTIME) == RUNTIME


@pytest.mark.parametrize(
    "place",
    [
        lambda runtime: runtime["spec"]["mlPolicy"],
        lambda runtime: runtime["spec"]["template"]["spec"]["failurePolicy"],
        replicated_job,
        job,
        pod,
    ],
)
def test_a_misspelt_field_is_not_understood(place):
    runtime = copy.deepcopy(RUNTIME)
    place(runtime)["misspelt"] = {}
    assert understood(runtime) != runtime


def test_its_pods_meet_the_standard_with_a_read_only_root():
    assert violations(pod(RUNTIME)) == set()
    (container,) = pod(RUNTIME)["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert SCRATCH in {each["mountPath"] for each in container["volumeMounts"]}


def test_its_pods_have_time_for_a_checkpoint():
    assert pod(RUNTIME)["terminationGracePeriodSeconds"] == GRACE_SECONDS


def test_a_lost_pod_starts_all_of_them_again():
    assert job(RUNTIME)["backoffLimit"] == 0
    assert pod(RUNTIME)["restartPolicy"] == "Never"
    assert RUNTIME["spec"]["template"]["spec"]["failurePolicy"]["maxRestarts"] > 0


@pytest.mark.parametrize("name", OVERLAYS)
def test_its_pods_have_an_account_of_the_overlay_and_reach_each_other(name):
    assert named(overlay(name), "ServiceAccount", pod(RUNTIME)["serviceAccountName"])
    labels = job(RUNTIME)["template"]["metadata"]["labels"]
    assert set(labels) == {LABEL}
    peer, policies = Peer("emotion", labels), of_kind(overlay(name), "NetworkPolicy")
    assert allowed(policies, peer, peer, 29500)
