"""The mode of a deploy, by the settings, the service in place and what the cluster has."""

import pytest

from components.deploy.cluster.api import SERVICES
from components.deploy.cluster.modes import has_candidates, mode_for
from components.deploy.inference_service import AUTO, KNATIVE, STANDARD, inference_service
from components.deploy.settings import DeploySettings
from components.errors import InputError
from tests.fakes.kubernetes_api import kubernetes_api


@pytest.mark.parametrize(
    ("mode", "has_knative", "present", "chosen"),
    [
        (AUTO, True, "", KNATIVE),
        (AUTO, False, "", STANDARD),
        (AUTO, True, STANDARD, STANDARD),
        (AUTO, False, KNATIVE, KNATIVE),
        (STANDARD, True, "", STANDARD),
        (KNATIVE, True, KNATIVE, KNATIVE),
    ],
)
def test_the_mode_of_a_deploy(mode, has_knative, present, chosen):
    with kubernetes_api(has_knative=has_knative) as (cluster, _):
        if present:
            cluster.apply(SERVICES, inference_service("emotion", "gs://m", "i:1", {}, present))
        assert mode_for(cluster, DeploySettings(mode=mode)) == chosen


def test_a_mode_that_the_cluster_lacks_is_refused():
    with (
        kubernetes_api(has_knative=False) as (cluster, _),
        pytest.raises(InputError, match=r"mode='Knative': needs Knative Serving.*mode=Standard"),
    ):
        mode_for(cluster, DeploySettings(mode=KNATIVE))


def test_another_mode_than_that_of_the_service_is_refused():
    with kubernetes_api(has_knative=True) as (cluster, _):
        cluster.apply(SERVICES, inference_service("emotion", "gs://m", "i:1", {}, STANDARD))
        with pytest.raises(InputError, match=r"mode='Knative': is Standard in the cluster"):
            mode_for(cluster, DeploySettings(mode=KNATIVE))


@pytest.mark.parametrize("has_canary", [True, False])
def test_whether_kserve_knows_a_second_predictor(has_canary):
    with kubernetes_api(has_canary=has_canary) as (cluster, _):
        assert has_candidates(cluster) is has_canary


def test_a_manifest_for_any_cluster_names_no_mode():
    service = inference_service("emotion", "gs://m", "i:1", {}, AUTO)
    assert service["metadata"]["annotations"] == {}
    assert "terminationGracePeriodSeconds" not in service["spec"]["predictor"]
