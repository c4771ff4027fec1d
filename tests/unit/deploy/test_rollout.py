"""When a service counts as serving what was asked for, and the messages when it does not."""

import pytest

from components.deploy.cluster.pods import troubles
from components.deploy.cluster.rollout import Goal
from components.deploy.cluster.service import ServiceAddress, read_status, service_address
from components.deploy.inference_service import (
    KNATIVE,
    STANDARD,
    inference_service,
    release_of,
    require_downloadable,
    with_canary,
    with_candidate,
)
from components.errors import InputError, RolloutError

TRAFFIC = [
    {"revisionName": "r2", "percent": 10, "tag": "latest", "url": "http://latest-emotion.example"},
    {"revisionName": "r1", "percent": 90, "tag": "prev", "url": "http://prev-emotion.example"},
]


def manifest(mode=KNATIVE, image="image:1"):
    return inference_service("emotion", "gs://models/1", image, {}, mode)


def pod(service, revision="r2", ready=True):
    labels = {"emotion-pipeline/release": release_of(service)}
    labels["serving.knative.dev/revision"] = revision
    conditions = [{"type": "Ready", "status": str(ready)}]
    return {"metadata": {"name": "p", "labels": labels}, "status": {"conditions": conditions}}


def status(*, ready="True", created="r2", newest="r2", traffic=TRAFFIC, transition="UpToDate"):
    predictor = {"latestCreatedRevision": created, "latestReadyRevision": newest}
    content = {
        "conditions": [{"type": "Ready", "status": ready}],
        "components": {"predictor": {**predictor, "traffic": traffic}},
        "modelStatus": {"transitionStatus": transition},
    }
    return read_status({"status": content})


NEW, OLD = manifest(), manifest(image="image:0")


@pytest.mark.parametrize(
    ("reached", "seen", "pods"),
    [
        (True, status(), [pod(NEW), pod(OLD, "r1")]),
        (False, status(ready="Unknown"), [pod(NEW)]),
        (False, status(), [pod(NEW, ready=False)]),
        (False, status(), []),
        (False, status(newest="r1"), [pod(NEW)]),
        (False, status(created="r3", newest="r3"), [pod(NEW)]),
        (False, status(created="r1", newest="r1"), [pod(OLD, "r1")]),
        (False, status(traffic=TRAFFIC[1:]), [pod(NEW)]),
        (False, read_status(None), [pod(NEW)]),
    ],
)
def test_in_knative_mode_the_newest_revision_is_of_the_release_and_has_its_share(
    reached, seen, pods
):
    assert Goal(NEW, 10).reached(seen, pods) is reached
    assert Goal(NEW, 100).reached(seen, pods) is False


def test_a_share_over_two_targets_of_one_revision_counts_as_one():
    both = [{"revisionName": "r2", "percent": 40}, {"revisionName": "r2", "percent": 60}]
    assert Goal(NEW, 100).reached(status(traffic=both), [pod(NEW)])


@pytest.mark.parametrize(
    ("reached", "transition", "pods"),
    [
        (True, "UpToDate", [("new", True), ("new", True)]),
        (False, "UpToDate", [("new", True), ("old", True)]),
        (False, "UpToDate", [("new", True), ("new", False)]),
        (False, "UpToDate", [("old", True)]),
        (False, "UpToDate", []),
        (False, "InProgress", [("new", True)]),
    ],
)
def test_in_standard_mode_all_pods_are_of_the_release(reached, transition, pods):
    services = {"new": manifest(STANDARD), "old": manifest(STANDARD, "image:0")}
    found = [pod(services[name], ready=ready) for name, ready in pods]
    seen = status(transition=transition, traffic=[])
    assert Goal(services["new"]).reached(seen, found) is reached


@pytest.mark.parametrize(
    ("reached", "canaries", "ready"),
    [
        (True, [{"name": "candidate", "ready": True}], True),
        (False, [{"name": "candidate", "ready": True}], False),
        (False, [{"name": "candidate", "ready": False}], True),
        (False, [{"name": "other", "ready": True}], True),
        (False, [], True),
    ],
)
def test_in_standard_mode_a_candidate_is_ready_beside_the_old_pods(reached, canaries, ready):
    new, old = manifest(STANDARD), manifest(STANDARD, "image:0")
    conditions = [{"type": "Ready", "status": "True"}]
    seen = read_status({"status": {"conditions": conditions, "canaryStatuses": canaries}})
    assert Goal(new, 10).reached(seen, [pod(new, ready=ready), pod(old)]) is reached
    assert not Goal(new, 10).reached(seen, [pod(old)])


def test_a_canary_is_the_same_release():
    canary = with_canary(NEW, 10)
    assert canary["spec"]["predictor"]["canaryTrafficPercent"] == 10
    assert release_of(canary) == release_of(NEW) != release_of(OLD)
    assert "canaryTrafficPercent" not in NEW["spec"]["predictor"]


def test_a_status_is_one_line():
    seen = status(ready="False", transition="BlockedByFailedLoad")
    assert str(seen) == "r2 has 10 %, r1 has 90 %; Ready False; BlockedByFailedLoad"
    assert str(read_status({})) == "no status yet"


@pytest.mark.parametrize(
    ("ready", "stopped", "others", "text"),
    [
        ("True", "False", [], "ready at http://emotion.svc"),
        ("False", "True", [], "Ready False, Stopped True"),
        ("Unknown", "False", ["PredictorReady"], "Ready Unknown, PredictorReady False no pods"),
    ],
)
def test_a_status_names_only_the_conditions_that_are_not_as_they_should_be(
    ready, stopped, others, text
):
    conditions = [{"type": "Ready", "status": ready}, {"type": "Stopped", "status": stopped}]
    conditions += [{"type": kind, "status": "False", "reason": "no pods"} for kind in others]
    content = {"conditions": conditions, "address": {"url": "http://emotion.svc"}}
    assert str(read_status({"status": content})) == text


def test_a_failure_is_shown_by_its_last_line():
    log = f"downloading\n{'x' * 1000}: connection refused\n"
    failure = {"transitionStatus": "BlockedByFailedLoad", "lastFailureInfo": {"message": log}}
    text = str(read_status({"status": {"modelStatus": failure}}))
    assert text.startswith("BlockedByFailedLoad xxx")
    assert text.endswith("x: connection refused")
    assert len(text) < 250


def service(**more):
    content = {"components": {"predictor": {"traffic": TRAFFIC}}, **more}
    return {"metadata": {"name": "emotion"}, "status": content}


def test_where_a_service_answers():
    addresses = {"url": "http://emotion.example", "address": {"url": "http://emotion.svc"}}
    found = service(**addresses)
    assert service_address(found) == ServiceAddress("http://emotion.svc")
    by_gateway = service_address(found, "http://gateway")
    assert by_gateway == ServiceAddress("http://gateway", "emotion.example")
    canary = service_address(found, canary=True)
    assert canary == ServiceAddress("http://latest-emotion.example")
    with_gateway = service_address(found, "http://gateway", canary=True)
    assert with_gateway == ServiceAddress("http://gateway", "latest-emotion.example")
    outside = service_address(service(url="http://emotion.example"))
    assert outside == ServiceAddress("http://emotion.example")


def test_where_the_newest_revision_answers_within_the_cluster():
    within = "emotion-predictor.ns.svc.cluster.local"
    predictor = {"traffic": TRAFFIC, "address": {"url": f"http://{within}"}}
    found = service(components={"predictor": predictor})
    address = service_address(found, canary=True)
    assert address == ServiceAddress(f"http://latest-{within}")
    by_gateway = service_address(found, "http://gateway", canary=True)
    assert by_gateway == ServiceAddress("http://gateway", "latest-emotion.example")


@pytest.mark.parametrize("gateway", ["", "http://gateway"])
@pytest.mark.parametrize("port", ["", ":8080"])
def test_where_a_candidate_answers(gateway, port):
    url = f"http://emotion-predictor.emotion-predictor.svc.cluster.local{port}"
    both = with_candidate(manifest(STANDARD, "image:0"), manifest(STANDARD), 10)
    address = service_address({**both, "status": {"address": {"url": url}}}, gateway, canary=True)
    second = f"http://emotion-candidate-predictor.emotion-predictor.svc.cluster.local{port}"
    assert address == ServiceAddress(second)


@pytest.mark.parametrize("canary", [True, False])
def test_a_service_without_an_address_is_refused(canary):
    found = {"metadata": {"name": "emotion"}, "status": {}}
    with pytest.raises(RolloutError, match="service emotion: has no address"):
        service_address(found, canary=canary)


def container(**state):
    return {"metadata": {"name": "p"}, "status": {"containerStatuses": [{"name": "c", **state}]}}


@pytest.mark.parametrize(
    ("found", "texts", "hopeless"),
    [
        (container(state={"running": {}}), [], False),
        (container(state={"waiting": {"reason": "ContainerCreating"}}), [], False),
        (
            container(state={"waiting": {"reason": "ErrImagePull", "message": "denied"}}),
            ["pod p: container c ErrImagePull denied"],
            False,
        ),
        (
            container(state={"waiting": {"reason": "ImagePullBackOff", "message": "no such"}}),
            ["pod p: container c ImagePullBackOff no such"],
            True,
        ),
        (
            container(
                state={"waiting": {"reason": "CrashLoopBackOff"}},
                lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
            ),
            ["pod p: container c CrashLoopBackOff (ended with status 137 OOMKilled)"],
            True,
        ),
        (
            container(state={"terminated": {"exitCode": 1, "reason": "Error", "message": "no\n"}}),
            ["pod p: container c (ended with status 1 Error no)"],
            False,
        ),
        (
            container(
                state={"running": {}},
                lastState={"terminated": {"exitCode": 1, "message": "long\n" * 200 + "no way"}},
            ),
            ["pod p: container c is tried again (ended with status 1 no way)"],
            False,
        ),
        (
            container(
                state={"terminated": {"exitCode": 0, "reason": "Completed"}},
                lastState={"terminated": {"exitCode": 1, "message": "no way"}},
            ),
            [],
            False,
        ),
    ],
)
def test_what_keeps_a_pod_from_working(found, texts, hopeless):
    result = troubles(found)
    assert [each.text for each in result] == texts
    assert any(each.hopeless for each in result) is hopeless


def test_a_pod_without_a_node_may_still_get_one():
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    found = {"metadata": {"name": "p"}, "status": {"conditions": [{**condition, "message": "0/3"}]}}
    (trouble,) = troubles(found)
    assert trouble.text == "pod p: Unschedulable: 0/3"
    assert not trouble.hopeless


@pytest.mark.parametrize("uri", ["gs://bucket/model", "s3://b/m", "minio://b/m", "pvc://claim/m"])
def test_where_a_cluster_can_get_a_model(uri):
    require_downloadable(uri)


@pytest.mark.parametrize("uri", ["", "/models/1", "file:///models/1", "gs://", "ftp://host/m"])
def test_where_it_cannot(uri):
    with pytest.raises(InputError, match="is not a place that KServe downloads from"):
        require_downloadable(uri)
