"""The number of predictors in deploys to a real API server, which knows who has set what."""

from dataclasses import replace

import pytest
from kubernetes import client

from components.deploy.cluster.api import SERVICES
from components.deploy.inference_service import SCALING
from components.errors import ClusterError

pytestmark = pytest.mark.cluster


def ask(stage, **settings):
    """Change the settings of the deploys that follow."""
    stage.settings = replace(stage.settings, **settings)


def scaled(stage):
    """The fields about the number of predictors, as the cluster has them."""
    predictor = stage.service()["spec"]["predictor"]
    return {name: predictor[name] for name in SCALING if name in predictor}


def patch(stage, **fields):
    """Change the predictor as `kubectl patch` does."""
    objects = client.CustomObjectsApi(stage.server.api("admin"))
    group, version, plural = SERVICES
    body = {"spec": {"predictor": fields}}
    objects.patch_namespaced_custom_object(
        group, version, stage.namespace, plural, "emotion", body, field_manager="kubectl-patch"
    )


@pytest.mark.parametrize("mode", ["Knative", "Standard"])
def test_each_release_has_its_own_and_a_rollback_the_earlier_one(stage, mode):
    metric = {"Knative": ("concurrency", 3), "Standard": ("cpu", 100)}[mode]
    ask(stage, mode=mode, max_replicas=3)
    stage.deploy("old")
    follows = {"scaleMetric": metric[0], "scaleTarget": metric[1]}
    assert scaled(stage) == {"maxReplicas": 3, **follows}
    ask(stage, min_replicas=2, max_replicas=6)
    stage.deploy("new")
    stage.require("new")
    assert scaled(stage) == {"minReplicas": 2, "maxReplicas": 6, **follows}
    stage.roll_back()
    stage.require("old")
    assert scaled(stage) == {"maxReplicas": 3, **follows}


def test_what_is_no_longer_asked_for_is_taken_back(stage):
    ask(stage, min_replicas=2, max_replicas=6)
    stage.deploy("old")
    ask(stage, min_replicas=None, max_replicas=None)
    stage.deploy("new")
    assert scaled(stage) == {}


def test_what_somebody_has_set_by_hand_outlasts_deploys_and_rollbacks(stage):
    stage.deploy("old")
    by_hand = {"minReplicas": 2, "maxReplicas": 4, "scaleMetric": "rps", "scaleTarget": 50}
    patch(stage, **by_hand)
    stage.deploy("new")
    assert scaled(stage) == by_hand
    stage.roll_back()
    stage.require("old")
    assert scaled(stage) == by_hand


def test_what_somebody_has_set_by_hand_is_not_overwritten(stage):
    stage.deploy("old")
    patch(stage, minReplicas=2)
    ask(stage, min_replicas=3)
    with pytest.raises(ClusterError, match="kubectl-patch"):
        stage.deploy("new")
    stage.require("old")
    assert scaled(stage) == {"minReplicas": 2}


def test_another_number_for_the_same_model_leaves_the_way_back_to_the_one_before(stage):
    stage.deploy("old")
    stage.deploy("new")
    ask(stage, min_replicas=3)
    stage.deploy("new")
    stage.require("new")
    assert scaled(stage) == {"minReplicas": 3, "maxReplicas": 3}
    stage.roll_back()
    stage.require("old")
