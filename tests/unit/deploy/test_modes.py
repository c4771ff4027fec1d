"""The mode of a deploy, by the settings, the service in place and what the cluster has."""

import pytest

from components.deploy.cluster.api import SERVICES
from components.deploy.cluster.modes import has_candidates, mode_for, require_autoscaler
from components.deploy.inference_service import AUTO, KNATIVE, STANDARD, inference_service
from components.deploy.scaling import Scaling
from components.deploy.settings import DeploySettings
from components.errors import InputError
from tests.fakes.kubernetes_api import SERVICE, kubernetes_api


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


def put(cluster, fake, *asked, by_hand=""):
    """A service with this number of predictors, whose autoscaler somebody may have named."""
    service = inference_service("emotion", "gs://m", "i:1", {}, STANDARD)
    cluster.apply(SERVICES, Scaling(STANDARD, *asked).applied_to(service, "ns", "http://p"))
    if by_hand:
        notes = fake.objects[SERVICE]["metadata"]["annotations"]
        notes["serving.kserve.io/autoscalerClass"] = by_hand


def asked_for(**settings):
    return DeploySettings(target="kserve", mode=STANDARD, **settings)


def test_keda_is_needed_only_for_the_queue():
    with kubernetes_api() as (cluster, _):
        require_autoscaler(cluster, asked_for(max_replicas=3))
        with pytest.raises(InputError, match=r"scale_metric='queue': needs KEDA"):
            require_autoscaler(cluster, asked_for(max_replicas=3, scale_metric="queue"))


@pytest.mark.parametrize("metric", ["", "cpu", "queue"])
def test_what_measures_the_cpu_is_needed_where_replicas_follow_the_load(metric):
    with kubernetes_api(has_metrics=False, has_keda=True) as (cluster, _):
        require_autoscaler(cluster, asked_for(min_replicas=3))
        with pytest.raises(InputError, match=r"max_replicas=3: needs metrics-server"):
            require_autoscaler(cluster, asked_for(max_replicas=3, scale_metric=metric))


@pytest.mark.parametrize(
    ("present", "by_hand", "asked", "refused"),
    [
        ((), "", {"max_replicas": 3}, ""),
        ((1, 3), "", {}, ""),
        ((1, 3, "queue"), "", {"max_replicas": 4, "scale_metric": "queue"}, ""),
        ((), "keda", {}, ""),
        ((), "external", {"min_replicas": 2}, ""),
        ((), "", {"max_replicas": 3, "scale_metric": "queue"}, "scaled by hpa"),
        ((1, 3, "queue"), "", {}, "scaled by keda"),
        ((1, 3, "queue"), "", {"max_replicas": 3}, "scaled by keda"),
        ((), "external", {"max_replicas": 3}, "scaled by external"),
    ],
)
def test_a_service_keeps_its_autoscaler(present, by_hand, asked, refused):
    with kubernetes_api(has_keda=True) as (cluster, fake):
        put(cluster, fake, *present, by_hand=by_hand)
        if not refused:
            require_autoscaler(cluster, asked_for(**asked))
        else:
            with pytest.raises(InputError, match=rf"service emotion: is {refused} in the cluster"):
                require_autoscaler(cluster, asked_for(**asked))


@pytest.mark.parametrize("has_canary", [True, False])
def test_whether_kserve_knows_a_second_predictor(has_canary):
    with kubernetes_api(has_canary=has_canary) as (cluster, _):
        assert has_candidates(cluster, "emotion") is has_canary


@pytest.mark.parametrize(("asked", "by_hand"), [((1, 3, "queue"), ""), ((), "keda")])
def test_kserve_has_no_second_predictor_where_keda_scales(asked, by_hand):
    with kubernetes_api() as (cluster, fake):
        put(cluster, fake, *asked, by_hand=by_hand)
        assert not has_candidates(cluster, "emotion")


def test_a_manifest_for_any_cluster_names_no_mode():
    service = inference_service("emotion", "gs://m", "i:1", {}, AUTO)
    assert service["metadata"]["annotations"] == {}
    assert "terminationGracePeriodSeconds" not in service["spec"]["predictor"]
