"""Who may talk to whom in each overlay."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.manifests.network import Peer, allowed
from tests.manifests.rendering import OVERLAYS, example, of_kind, overlay
from tests.manifests.schemas import errors

STEP_LABELS = {"workflows.argoproj.io/workflow": "emotion-1"}
PREDICTOR = Peer(
    "emotion", {"serving.kserve.io/inferenceservice": "emotion", "component": "predictor"}
)
STEP = Peer("emotion", STEP_LABELS)
DEPLOY = Peer("emotion", STEP_LABELS | {"emotion-pipeline/step": "deploy"})
TRAIN_JOB = Peer("emotion", {"emotion-pipeline/training": "train-job"})
TRIAL = Peer("emotion", {"emotion-pipeline/training": "trial"})
SUGGESTION = Peer("emotion", {"katib.kubeflow.org/suggestion": "search"})
STRANGER = Peer("emotion", {"app": "notebook"})
ELSEWHERE = Peer("default", {"app": "shell"})

GATEWAY = Peer("istio-system", {"app": "istio-ingressgateway"})
ENVOY = Peer("envoy-gateway-system", {"app.kubernetes.io/name": "envoy"})
ACTIVATOR = Peer("knative-serving", {"app": "activator"})
PROMETHEUS = Peer("monitoring", {"app.kubernetes.io/name": "prometheus"})
GRAFANA = Peer("monitoring", {"app.kubernetes.io/name": "grafana"})
DNS = Peer("kube-system", {"k8s-app": "kube-dns"})
KFP = Peer("kubeflow", {"app": "ml-pipeline"})
METADATA = Peer("kubeflow", {"component": "metadata-grpc-server"})
KFP_DATABASE = Peer("kubeflow", {"app": "mysql"})
KATIB = Peer("kubeflow", {"katib.kubeflow.org/component": "controller"})
KATIB_DATABASE = Peer("kubeflow", {"katib.kubeflow.org/component": "db-manager"})
TRAINER_LABELS = {"app.kubernetes.io/component": "manager", "app.kubernetes.io/part-of": "kubeflow"}
TRAINER = Peer("kubeflow-system", TRAINER_LABELS)
TRAINER_OF_KUBEFLOW = Peer("kubeflow", TRAINER_LABELS)
S3 = Peer("kubeflow", {"app": "seaweedfs"})
API_SERVER = Peer(address="172.18.0.2")
INTERNET = Peer(address="203.0.113.7")
NODE_METADATA = Peer(address="169.254.169.254")
CALICO_METADATA = Peer(address="169.254.169.252")
NODE_DNS = Peer(address="169.254.20.10")

YES, NO = True, False
EVERYWHERE = [
    # Requests reach the predictor through gateways alone, metrics leave to Prometheus alone.
    ("gateway to predictor", GATEWAY, PREDICTOR, 8080, YES),
    ("gateway to predictor, gRPC", GATEWAY, PREDICTOR, 8081, YES),
    ("Envoy to predictor", ENVOY, PREDICTOR, 8080, YES),
    ("activator to queue-proxy", ACTIVATOR, PREDICTOR, 8012, YES),
    ("Knative to queue-proxy's metrics", ACTIVATOR, PREDICTOR, 9090, YES),
    ("gateway to queue-proxy's metrics", GATEWAY, PREDICTOR, 9090, NO),
    ("gateway to another port", GATEWAY, PREDICTOR, 22, NO),
    ("Prometheus to predictor", PROMETHEUS, PREDICTOR, 8080, YES),
    ("Grafana to predictor", GRAFANA, PREDICTOR, 8080, NO),
    ("deploy to predictor", DEPLOY, PREDICTOR, 8080, YES),
    ("deploy to gateway", DEPLOY, GATEWAY, 8443, YES),
    ("another step to predictor", STEP, PREDICTOR, 8080, NO),
    ("another step to gateway", STEP, GATEWAY, 8080, NO),
    ("stranger to predictor", STRANGER, PREDICTOR, 8080, NO),
    ("another namespace to predictor", ELSEWHERE, PREDICTOR, 8080, NO),
    ("the internet to predictor", INTERNET, PREDICTOR, 8080, NO),
    ("predictor to itself", PREDICTOR, PREDICTOR, 8080, NO),
    # The predictor reads its model, and else answers.
    ("predictor to API server", PREDICTOR, API_SERVER, 6443, NO),
    ("predictor to KFP", PREDICTOR, KFP, 8888, NO),
    ("predictor to step", PREDICTOR, STEP, 8080, NO),
    ("predictor to plain HTTP", PREDICTOR, INTERNET, 80, NO),
    # Steps reach KFP, the API server and HTTPS outside; nothing reaches them.
    ("step to API server", STEP, API_SERVER, 6443, YES),
    ("deploy to API server", DEPLOY, API_SERVER, 443, YES),
    ("step to KFP", STEP, KFP, 8887, YES),
    ("step to metadata store", STEP, METADATA, 8080, YES),
    ("step to KFP's database", STEP, KFP_DATABASE, 3306, NO),
    ("step to hub", STEP, INTERNET, 443, YES),
    ("step to plain HTTP", STEP, INTERNET, 80, NO),
    ("gateway to step", GATEWAY, STEP, 8080, NO),
    ("another namespace to step", ELSEWHERE, STEP, 8080, NO),
    ("step to step", STEP, STEP, 8080, NO),
    # Trainings reach their data, the hub and each other; Katib gets scores and asks its algorithm.
    ("node of a TrainJob to the first one", TRAIN_JOB, TRAIN_JOB, 29500, YES),
    ("node of a TrainJob to another, gradients", TRAIN_JOB, TRAIN_JOB, 41234, YES),
    ("TrainJob to hub", TRAIN_JOB, INTERNET, 443, YES),
    ("TrainJob to Trainer", TRAIN_JOB, TRAINER, 10443, YES),
    ("trial to Trainer", TRIAL, TRAINER_OF_KUBEFLOW, 10443, YES),
    ("TrainJob to Trainer's metrics", TRAIN_JOB, TRAINER, 8443, NO),
    ("another step to Trainer", STEP, TRAINER, 10443, NO),
    ("stranger to Trainer", STRANGER, TRAINER, 10443, NO),
    ("TrainJob to plain HTTP", TRAIN_JOB, INTERNET, 80, NO),
    ("TrainJob to Katib", TRAIN_JOB, KATIB_DATABASE, 6789, NO),
    ("TrainJob to API server", TRAIN_JOB, API_SERVER, 6443, NO),
    ("stranger to TrainJob", STRANGER, TRAIN_JOB, 29500, NO),
    ("trial to TrainJob", TRIAL, TRAIN_JOB, 29500, NO),
    ("trial to hub", TRIAL, INTERNET, 443, YES),
    ("trial's collector to Katib", TRIAL, KATIB_DATABASE, 6789, YES),
    ("trial to trial", TRIAL, TRIAL, 29500, NO),
    ("Katib to its algorithm", KATIB, SUGGESTION, 6789, YES),
    ("Katib to a trial", KATIB, TRIAL, 6789, NO),
    ("stranger to Katib's algorithm", STRANGER, SUGGESTION, 6789, NO),
    ("Katib's algorithm to internet", SUGGESTION, INTERNET, 443, NO),
    # Everybody resolves names, strangers do nothing else.
    ("predictor to DNS", PREDICTOR, DNS, 53, YES),
    ("stranger to DNS", STRANGER, DNS, 53, YES),
    ("stranger to internet", STRANGER, INTERNET, 443, NO),
    ("stranger to API server", STRANGER, API_SERVER, 443, NO),
    ("stranger to node metadata", STRANGER, NODE_METADATA, 80, NO),
]
TABLE = {
    "gke": [
        *EVERYWHERE,
        ("predictor to Cloud Storage", PREDICTOR, INTERNET, 443, YES),
        ("predictor to its identity", PREDICTOR, NODE_METADATA, 80, YES),
        ("predictor to its identity, Calico", PREDICTOR, CALICO_METADATA, 988, YES),
        ("step to its identity", STEP, NODE_METADATA, 80, YES),
        ("step to its identity, Calico", STEP, CALICO_METADATA, 987, YES),
        ("TrainJob to its identity", TRAIN_JOB, NODE_METADATA, 80, YES),
        ("trial to its identity, Calico", TRIAL, CALICO_METADATA, 988, YES),
        ("stranger to the node's DNS", STRANGER, NODE_DNS, 53, YES),
        ("predictor to S3 in Kubeflow", PREDICTOR, S3, 8333, NO),
    ],
    "kind": [
        *EVERYWHERE,
        ("predictor to S3", PREDICTOR, S3, 8333, YES),
        ("step to S3", STEP, S3, 8333, YES),
        ("TrainJob to S3", TRAIN_JOB, S3, 8333, YES),
        ("trial to S3", TRIAL, S3, 8333, YES),
        ("Katib's algorithm to S3", SUGGESTION, S3, 8333, NO),
        ("stranger to S3", STRANGER, S3, 8333, NO),
        ("predictor to internet", PREDICTOR, INTERNET, 443, NO),
        ("step to node metadata", STEP, NODE_METADATA, 80, NO),
    ],
}


def policies(name):
    return of_kind(overlay(name), "NetworkPolicy")


def outcome(some, name):
    return [allowed(some, source, target, port) for _, source, target, port, _ in TABLE[name]]


@pytest.mark.parametrize(
    ("name", "row"),
    [pytest.param(name, row, id=f"{name}: {row[0]}") for name in OVERLAYS for row in TABLE[name]],
)
def test_who_may_talk_to_whom(name, row):
    _, source, target, port, expected = row
    assert allowed(policies(name), source, target, port) is expected


@pytest.mark.parametrize(
    ("name", "removed"),
    [(name, each["metadata"]["name"]) for name in OVERLAYS for each in policies(name)],
)
def test_the_table_notices_a_missing_policy(name, removed):
    left = [each for each in policies(name) if each["metadata"]["name"] != removed]
    assert outcome(left, name) != outcome(policies(name), name)


@given(st.sampled_from(OVERLAYS), st.data())
def test_a_further_policy_never_forbids_what_was_allowed_beside_default_deny(name, data):
    (deny,) = (each for each in policies(name) if each["metadata"]["name"] == "default-deny")
    some = data.draw(st.lists(st.sampled_from(policies(name)), max_size=6))
    before, after = outcome([deny, *some], name), outcome(policies(name), name)
    assert all(later for earlier, later in zip(before, after, strict=True) if earlier)


@pytest.mark.parametrize("name", OVERLAYS)
def test_names_are_resolved_over_udp_too(name):
    assert allowed(policies(name), PREDICTOR, DNS, 53, "UDP")
    assert not allowed(policies(name), PREDICTOR, ELSEWHERE, 53, "UDP")


@pytest.mark.parametrize("name", OVERLAYS)
def test_payloads_leave_only_where_the_optional_policy_lets_them(name):
    collector = Peer("logging", {"app": "payload-collector"})
    optional = example("payload-policy.yaml")
    assert errors(optional) == []
    assert not allowed(policies(name), PREDICTOR, collector, 8080)
    assert allowed([*policies(name), optional], PREDICTOR, collector, 8080)
    assert not allowed([*policies(name), optional], STEP, collector, 8080)


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_deploy_step_reaches_a_model_registry_where_the_optional_policy_lets_it(name):
    registry = Peer("kubeflow", {"component": "model-registry-server"})
    optional = example("model-registry-policy.yaml")
    assert errors(optional) == []
    assert not allowed(policies(name), DEPLOY, registry, 8080)
    assert allowed([*policies(name), optional], DEPLOY, registry, 8080)
    assert not allowed([*policies(name), optional], STEP, registry, 8080)
    assert not allowed([*policies(name), optional], PREDICTOR, registry, 8080)


PICTURE = Path(__file__).parents[2] / "docs" / "cluster.svg"
BOXES = [
    (PREDICTOR, "predictor"),
    (DEPLOY, "deploy"),
    (STEP, "steps"),
    (TRAIN_JOB, "training"),
    (TRIAL, "training"),
    (SUGGESTION, "training"),
    (KATIB, "searches"),
    (KATIB_DATABASE, "searches"),
    (TRAINER, "searches"),
    (TRAINER_OF_KUBEFLOW, "searches"),
    (GATEWAY, "gateways"),
    (ENVOY, "gateways"),
    (ACTIVATOR, "gateways"),
    (PROMETHEUS, "prometheus"),
    (KFP, "kfp"),
    (METADATA, "kfp"),
    (S3, "s3"),
    (API_SERVER, "api-server"),
    (INTERNET, "internet"),
    (NODE_METADATA, "metadata"),
    (CALICO_METADATA, "metadata"),
]


def box(peer):
    return next(name for each, name in BOXES if each == peer)


def flow(source, target):
    if target in (DNS, NODE_DNS):
        return "any", "dns"
    return box(source), box(target)


def test_the_picture_shows_every_flow_that_is_allowed_and_no_other():
    rows = [row for name in OVERLAYS for row in TABLE[name] if row[4]]
    root = ElementTree.fromstring(PICTURE.read_text(encoding="utf-8"))  # noqa: S314
    arrows = {(each.get("data-from"), each.get("data-to")) for each in root.iter()}
    assert arrows - {(None, None)} == {flow(source, target) for _, source, target, _, _ in rows}
