"""The number of predictors: what may be asked for, and what becomes of it in a service."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.deploy.inference_service import AUTO, KNATIVE, STANDARD, inference_service
from components.deploy.scaling import HPA, KEDA, Scaling, autoscaler_of
from components.deploy.settings import DeploySettings
from components.errors import InputError
from components.options import settings_of
from tests.manifests.schemas import errors

PROMETHEUS = "http://prometheus:9090"


def service(mode):
    return inference_service("emotion", "gs://models/emotion", "image:1", {}, mode)


def scaled(mode, *given, **named):
    return Scaling(mode, *given, **named).applied_to(service(mode), "ns", PROMETHEUS)


def fields(mode, *given, **named):
    """The predictor's fields that are not there without scaling."""
    plain = service(mode)["spec"]["predictor"]
    return {
        name: value
        for name, value in scaled(mode, *given, **named)["spec"]["predictor"].items()
        if name not in plain
    }


@pytest.mark.parametrize("mode", [AUTO, KNATIVE, STANDARD])
def test_nothing_is_set_unless_it_is_asked_for(mode):
    assert scaled(mode) == service(mode)


@pytest.mark.parametrize(
    ("mode", "asked", "expected"),
    [
        (AUTO, (2, None), {"minReplicas": 2, "maxReplicas": 2}),
        (AUTO, (None, 4), {"maxReplicas": 4}),
        (STANDARD, (2, 2), {"minReplicas": 2, "maxReplicas": 2}),
        (
            KNATIVE,
            (0, None),
            {"minReplicas": 0, "maxReplicas": 1, "scaleMetric": "concurrency", "scaleTarget": 3},
        ),
        (
            KNATIVE,
            (1, 4),
            {"minReplicas": 1, "maxReplicas": 4, "scaleMetric": "concurrency", "scaleTarget": 3},
        ),
        (
            KNATIVE,
            (1, 4, "rps", 200),
            {"minReplicas": 1, "maxReplicas": 4, "scaleMetric": "rps", "scaleTarget": 200},
        ),
        (STANDARD, (None, 4), {"maxReplicas": 4, "scaleMetric": "cpu", "scaleTarget": 100}),
        (
            STANDARD,
            (2, 4, "cpu", 60),
            {"minReplicas": 2, "maxReplicas": 4, "scaleMetric": "cpu", "scaleTarget": 60},
        ),
    ],
)
def test_a_service_gets_the_fields_of_its_mode(mode, asked, expected):
    assert fields(mode, *asked) == expected


def test_the_queue_is_kedas_beside_the_cpu():
    found = scaled(STANDARD, 1, 4, "queue", 5)
    assert autoscaler_of(found) == KEDA
    cpu, queue = found["spec"]["predictor"]["autoScaling"]["metrics"]
    assert cpu["resource"]["target"] == {"type": "Utilization", "averageUtilization": 100}
    selector = '{namespace="ns",inference_service="emotion"}'
    assert queue["external"] == {
        "metric": {
            "backend": "prometheus",
            "serverAddress": PROMETHEUS,
            "query": f"sum(rate(classifier_queue_seconds_sum{selector}[1m]))",
        },
        "target": {"type": "Value", "value": "5"},
    }
    assert "scaleMetric" not in found["spec"]["predictor"]


def test_each_autoscaler_is_known_by_its_service():
    assert autoscaler_of(scaled(STANDARD, 1, 4)) == Scaling(STANDARD, 1, 4).autoscaler == HPA
    assert autoscaler_of(scaled(STANDARD, 2)) == Scaling(STANDARD, 2).autoscaler == ""
    assert autoscaler_of(scaled(KNATIVE, 0, 4)) == Scaling(KNATIVE, 0, 4).autoscaler == ""


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"min_replicas": -1}, "min_replicas=-1"),
        ({"max_replicas": 0}, "max_replicas=0"),
        ({"min_replicas": 5, "max_replicas": 3}, "min_replicas=5: is more than max_replicas=3"),
        ({"mode": STANDARD, "min_replicas": 0}, "min_replicas=0: needs Knative mode"),
        ({"max_replicas": 3, "metric": "memory"}, "scale_metric='memory'"),
        ({"max_replicas": 3, "target": 5}, "scale_target=5: does not say of what"),
        ({"metric": "cpu"}, "scale_metric='cpu': scales nothing"),
        ({"min_replicas": 2, "max_replicas": 2, "metric": "cpu"}, "scales nothing"),
        ({"max_replicas": 3, "metric": "cpu", "target": 101}, "scale_target=101"),
        ({"max_replicas": 3, "metric": "rps"}, "scale_metric='rps': has no default target"),
        (
            {"mode": STANDARD, "max_replicas": 3, "metric": "concurrency"},
            "scale_metric='concurrency': needs Knative mode.*cpu or queue",
        ),
        (
            {"mode": KNATIVE, "max_replicas": 3, "metric": "queue"},
            "needs Standard mode.*concurrency or rps",
        ),
    ],
)
def test_a_contradiction_is_refused_when_it_is_made(asked, message):
    with pytest.raises(InputError, match=message):
        Scaling(**asked)


replicas = st.none() | st.integers(0, 6)


@given(
    st.sampled_from([AUTO, KNATIVE, STANDARD]),
    replicas,
    replicas,
    st.sampled_from(["", "cpu", "queue", "concurrency", "rps"]),
    st.integers(0, 120),
)
def test_whatever_is_taken_fits_kserves_schema_and_its_own_words(mode, least, most, metric, target):
    try:
        scaling = Scaling(mode, least, most, metric, target)
    except InputError:
        return
    found = scaling.applied_to(service(mode), "ns", PROMETHEUS)
    assert errors(found) == []
    predictor = found["spec"]["predictor"]
    least, most = predictor.get("minReplicas", 1), predictor.get("maxReplicas")
    assert most is None or max(least, 1) <= most
    assert least or mode != STANDARD


KNATIVE_SETTINGS = DeploySettings(target="kserve", max_replicas=3, scale_metric="concurrency")


def test_a_mode_that_the_cluster_turns_out_to_have_is_held_against_the_metric():
    assert replace(KNATIVE_SETTINGS, mode=KNATIVE).scaling.metric == "concurrency"
    with pytest.raises(InputError, match="needs Knative mode, and this is Standard mode"):
        replace(KNATIVE_SETTINGS, mode=STANDARD)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale_metric": "cpu"}, "scale_metric='cpu': needs the mode, for which target='render'"),
        ({"scale_metric": "queue", "mode": STANDARD}, "needs the namespace"),
        ({"prometheus": "prometheus:9090"}, "prometheus='prometheus:9090': is not the URL"),
    ],
)
def test_without_a_cluster_the_settings_have_to_say_what_it_would(settings, message):
    with pytest.raises(InputError, match=message):
        DeploySettings(target="render", max_replicas=3, **settings)


def test_options_of_a_run_set_it():
    options = {"min_replicas": 0.0, "max_replicas": None, "mode": KNATIVE}
    settings = settings_of(DeploySettings, deploy_options=options)
    assert settings.scaling == Scaling(KNATIVE, 0)
    with pytest.raises(InputError, match=r"max_replicas=1\.5: must be int, not float"):
        settings_of(DeploySettings, deploy_options={"max_replicas": 1.5})
