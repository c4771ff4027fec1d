"""The way from the old model to the new one, against an API server that answers at once."""

from dataclasses import replace

import pytest

from components.deploy.cluster.lease import deploy_lease
from components.deploy.cluster.rollout import Patience
from components.deploy.cluster.transaction import Transaction
from components.deploy.inference_service import (
    CANDIDATE,
    FACT,
    KNATIVE,
    SCALING,
    STANDARD,
    inference_service,
    mode_of,
    release_of,
)
from components.deploy.scaling import Scaling
from components.deploy.settings import DeploySettings
from components.errors import InputError, RolloutError, ServingError
from tests.applied import applied
from tests.fakes.kubernetes_api import SERVICE, kubernetes_api

SETTINGS = DeploySettings(target="kserve", ready_seconds=5)
WITHIN = "emotion.svc.cluster.local"


def manifest(name, mode=STANDARD):
    facts = {"run": name, "model-sha256": name}
    notes = {FACT.format(key): fact for key, fact in facts.items()}
    return inference_service("emotion", f"gs://models/{name}", "image:1", notes, mode)


def scaled(service, *asked):
    return Scaling(mode_of(service), *asked).applied_to(service, "ns", "http://prometheus")


def run(cluster, service, test=lambda _: None, settings=SETTINGS):
    """Deploy a service; returns the addresses at which it was tested."""
    tested = []

    def tried(address):
        tested.append(address.url)
        test(address)

    with deploy_lease(cluster, "emotion", "me") as lease:
        transaction = Transaction(cluster, lease, settings, Patience(0.01, 0.1))
        transaction.recover()
        transaction.replace(service, tried, lambda: None)
    return tested


def refuse(_):
    raise ServingError("predictor", "answers badly", "Train a better one")


def predictors(service):
    """The releases that a service has, and the candidate's share of the traffic."""
    spec = service["spec"]
    found = [spec["predictor"]["labels"]["emotion-pipeline/release"]]
    for each in spec.get("canary", []):
        found += [each["predictor"]["labels"]["emotion-pipeline/release"], each["trafficPercent"]]
    return found


OLD, NEW = manifest("old"), manifest("new")


def test_in_standard_mode_a_candidate_is_tested_beside_the_old_model():
    with kubernetes_api() as (cluster, fake):
        run(cluster, OLD)
        tested = run(cluster, NEW)
        old, new = release_of(OLD), release_of(NEW)
        assert [predictors(each) for each in fake.applied] == [[old], [old, new, 10], [new]]
        urls = [
            f"http://emotion-{name}.{WITHIN}" for name in (f"{CANDIDATE}-predictor", "predictor")
        ]
        assert tested == urls
        # KServe copies annotations to the pods: a change of them would start the old ones anew.
        assert fake.applied[1]["metadata"] == OLD["metadata"]


def test_a_candidate_that_fails_leaves_the_old_model_untouched():
    with kubernetes_api() as (cluster, fake):
        run(cluster, OLD)
        with pytest.raises(ServingError, match="answers badly"):
            run(cluster, NEW, refuse)
        assert fake.applied[-1] == OLD
        assert {release_of(each) for each in fake.applied} == {release_of(OLD)}


def test_a_candidate_without_traffic_has_a_pod():
    with kubernetes_api() as (cluster, fake):
        run(cluster, OLD)
        run(cluster, NEW, settings=replace(SETTINGS, canary_percent=0))
        (candidate,) = fake.applied[1]["spec"]["canary"]
        assert candidate["trafficPercent"] == 0
        assert candidate["predictor"]["minReplicas"] == 1


def test_both_predictors_get_what_kserve_lets_them_have():
    old, new = scaled(OLD, 1, 3), scaled(NEW, 2, 5, "cpu", 60)
    with kubernetes_api() as (cluster, fake):
        run(cluster, old)
        run(cluster, new)
        beside = fake.applied[1]["spec"]
        assert beside["predictor"] == old["spec"]["predictor"]
        assert not beside["canary"][0]["predictor"].keys() & set(SCALING)
        assert fake.applied[2] == new
        run(cluster, old)
        assert fake.applied[-1] == old


def test_no_change_of_the_autoscaler_is_tried():
    with kubernetes_api() as (cluster, fake):
        run(cluster, scaled(OLD, 1, 3))
        with pytest.raises(InputError, match="is scaled by hpa in the cluster"):
            run(cluster, scaled(NEW, 1, 3, "queue"))
        assert fake.applied == [scaled(OLD, 1, 3)]


def test_a_service_that_keda_scales_gets_the_new_model_at_once():
    old, new = (scaled(each, 1, 3, "queue") for each in (OLD, NEW))
    with kubernetes_api() as (cluster, fake):
        run(cluster, old)
        run(cluster, new)
        assert fake.applied == [old, new]


def test_another_number_of_predictors_is_no_other_model():
    more = scaled(NEW, 2, 5)
    with kubernetes_api() as (cluster, fake):
        for service in (OLD, NEW, more):
            run(cluster, service)
        assert fake.applied[-2:] == [NEW, more]
        with deploy_lease(cluster, "emotion", "me") as lease:
            assert lease.journal.previous == OLD


def test_a_service_that_is_asleep_is_waited_for_no_longer_than_one_that_runs():
    quick, service = replace(SETTINGS, ready_seconds=0.5), scaled(manifest("one", KNATIVE), 0, 2)
    with kubernetes_api(has_knative=True) as (cluster, fake):
        run(cluster, service)
        fake.asleep = True
        assert run(cluster, service, settings=quick) == [f"http://emotion.{WITHIN}"]
        with pytest.raises(RolloutError, match=r"not in service after 0\.5 s"):
            run(cluster, scaled(manifest("two", KNATIVE), 0, 2), settings=quick)


def test_a_kserve_without_candidates_gets_the_new_model_at_once(caplog):
    caplog.set_level("INFO")
    with kubernetes_api(has_canary=False) as (cluster, fake):
        run(cluster, OLD)
        assert run(cluster, NEW) == [f"http://emotion-predictor.{WITHIN}"]
        assert fake.applied == [OLD, NEW]
    assert caplog.text.count("without a canary") == 1


def test_in_knative_mode_the_newest_revision_is_tested_within_the_cluster():
    old, new = manifest("old", KNATIVE), manifest("new", KNATIVE)
    with kubernetes_api(has_knative=True) as (cluster, _):
        run(cluster, old)
        tested = run(cluster, new)
    assert tested == [f"http://latest-emotion-predictor.{WITHIN}", f"http://emotion.{WITHIN}"]


def test_a_first_model_that_fails_is_removed_and_another_mode_may_follow():
    with kubernetes_api(conflicts=2) as (cluster, fake):
        with pytest.raises(ServingError, match="answers badly"):
            run(cluster, manifest("bad", KNATIVE), refuse)
        assert SERVICE not in fake.objects
        assert fake.conflicts == 0
        run(cluster, NEW)
        assert release_of(fake.objects[SERVICE]) == release_of(NEW)


def test_a_service_that_was_never_in_service_makes_way():
    """Earlier versions left it stopped."""
    stopped = manifest("bad", KNATIVE)
    stopped["metadata"]["annotations"]["serving.kserve.io/stop"] = "true"
    with kubernetes_api() as (cluster, fake):
        metadata = {"uid": "1", "resourceVersion": "0"}
        content = applied(stopped)
        fake.objects[SERVICE] = {**content, "metadata": {**content["metadata"], **metadata}}
        run(cluster, NEW)
        assert fake.objects[SERVICE]["metadata"]["uid"] != "1"
        assert fake.applied == [NEW]


def test_a_service_that_somebody_else_has_put_in_its_place_is_not_removed():
    other = manifest("other")

    def replaced(address):
        metadata = {"uid": "2", "resourceVersion": "0"}
        content = applied(other)
        fake.objects[SERVICE] = {**content, "metadata": {**content["metadata"], **metadata}}
        refuse(address)

    with kubernetes_api() as (cluster, fake):
        with pytest.raises(ServingError):
            run(cluster, NEW, replaced)
        assert release_of(fake.objects[SERVICE]) == release_of(other)


def test_a_service_that_kserve_refuses_is_given_up_at_once():
    settings = replace(SETTINGS, ready_seconds=600)
    with kubernetes_api(refusal="ServerlessModeRejected") as (cluster, fake):
        for _ in range(2):
            with pytest.raises(RolloutError, match=r"refused by KServe.*ServerlessModeRejected it"):
                run(cluster, manifest("new", KNATIVE), settings=settings)
        assert fake.events[0]["count"] == 2


@pytest.mark.parametrize(
    ("reason", "kind"),
    [("ServerlessModeRejected", "Service"), ("InternalError", "InferenceService")],
)
def test_a_warning_after_which_kserve_tries_again_is_shown_and_waited_for(reason, kind, caplog):
    caplog.set_level("INFO")
    with kubernetes_api(refusal=reason) as (cluster, fake):
        fake.warn(reason, kind)
        late = rf"not in service after 0.2 s.*{reason} it is"
        with pytest.raises(RolloutError, match=late):
            run(cluster, NEW, settings=replace(SETTINGS, ready_seconds=0.2))
    assert f"{reason}: {reason} it is" in caplog.text


def test_a_warning_from_before_the_deploy_does_not_count():
    with kubernetes_api() as (cluster, fake):
        fake.warn("ServerlessModeRejected")
        run(cluster, NEW)
