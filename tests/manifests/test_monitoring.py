"""Alerts, dashboard and autoscaler ask for metrics that the predictor has, in valid PromQL."""

import json
import re

import pytest

from components.deploy.inference_service import STANDARD, inference_service
from components.deploy.scaling import Scaling
from tests.manifests.promql import asked
from tests.manifests.rendering import OVERLAYS, named, of_kind, overlay
from tests.predictor_metrics import series

# What Prometheus and the PodMonitor add to every series.
TARGET_LABELS = {"namespace", "pod", "inference_service"}
RULES = [
    rule
    for each in of_kind(overlay("gke"), "PrometheusRule")
    for group in each["spec"]["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"]: {"label"} for rule in RULES if "record" in rule}
SERIES = series()
KNOWN = SERIES | RECORDED


def dashboard():
    data = named(overlay("gke"), "ConfigMap", "emotion-dashboard")["data"]
    return json.loads(data["dashboard.json"])


def scaled_by():
    """The query by which KEDA scales a service."""
    service = inference_service("emotion", "gs://models/emotion", "image:1", {}, STANDARD)
    scaling = Scaling(STANDARD, 1, 3, "queue")
    scaled = scaling.applied_to(service, "emotion", "http://prometheus")
    _, queue = scaled["spec"]["predictor"]["autoScaling"]["metrics"]
    return queue["external"]["metric"]["query"]


PANELS = dashboard()["panels"]
QUERIES = [
    pytest.param(scaled_by(), id="KEDA"),
    *(pytest.param(rule["expr"], id=rule.get("alert") or rule["record"]) for rule in RULES),
    *(
        pytest.param(target["expr"].replace("$__rate_interval", "5m"), id=panel["title"])
        for panel in PANELS
        for target in panel["targets"]
    ),
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_for_what_there_is(query):
    found = asked(query)
    assert found.series
    labels = set(TARGET_LABELS)
    for name, filters in found.series:
        assert name in KNOWN
        assert filters <= KNOWN[name] | TARGET_LABELS
        labels |= KNOWN[name]
    assert found.grouped_by <= labels


def family(name):
    return re.sub("_(bucket|sum|count)$", "", name)


def test_every_metric_is_on_the_dashboard_or_in_an_alert():
    asked_for = {family(name) for query in QUERIES for name, _ in asked(query.values[0]).series}
    assert {family(name) for name in SERIES} <= asked_for


@pytest.mark.parametrize(
    "query",
    [
        "sum(rate(classifier_requests_total[5m])",
        "rate(classifier_requests_total)",
        "mean(classifier_ready)",
        "sum by namespace (classifier_ready)",
    ],
)
def test_a_query_that_is_none_is_refused(query):
    with pytest.raises(ValueError, match=r"\w"):
        asked(query)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_waits_and_says_what_to_do(alert):
    assert alert["for"]
    assert alert["labels"]["severity"] in {"warning", "critical"}
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["description"]


def test_there_is_an_alert_for_each_thing_that_goes_wrong():
    assert {alert["alert"] for alert in ALERTS} == {
        "EmotionErrors",
        "EmotionSlow",
        "EmotionQueueing",
        "EmotionRefusing",
        "EmotionNotReady",
        "EmotionDown",
        "EmotionLabelDrift",
        "EmotionUnsure",
    }


def test_an_alert_that_the_dashboard_speaks_of_exists():
    mentioned = set(re.findall(r"Emotion[A-Z]\w+", json.dumps(PANELS)))
    assert mentioned
    assert mentioned <= {alert["alert"] for alert in ALERTS}


def test_panels_do_not_overlap_and_fit_grafanas_grid():
    cells = [
        (x, y)
        for panel in PANELS
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


def test_every_variable_of_the_dashboard_is_declared():
    declared = {each["name"] for each in dashboard()["templating"]["list"]}
    used = set(re.findall(r"\$(\w+)", json.dumps(dashboard())))
    assert used - {"__rate_interval"} == declared


@pytest.mark.parametrize("name", OVERLAYS)
def test_metrics_are_read_where_the_predictor_serves_them(name):
    (monitor,) = of_kind(overlay(name), "PodMonitor")
    (runtime,) = of_kind(overlay(name), "ServingRuntime")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    (container,) = runtime["spec"]["containers"]
    assert endpoint["portNumber"] in {port["containerPort"] for port in container["ports"]}
    assert runtime["spec"]["annotations"]["prometheus.kserve.io/path"] == endpoint["path"]
    assert {each["targetLabel"] for each in endpoint["relabelings"]} <= TARGET_LABELS


def test_grafanas_sidecar_finds_the_dashboard():
    labels = named(overlay("gke"), "ConfigMap", "emotion-dashboard")["metadata"]["labels"]
    assert labels == {"grafana_dashboard": "1"}
