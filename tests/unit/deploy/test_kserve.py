"""Deploys, rollbacks and reports against an API server that answers at once."""

from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import pytest

from components.deploy.cluster.rollout import Patience
from components.deploy.inference_service import FACT, STANDARD, inference_service, release_of
from components.deploy.kserve import bring_into_service, report, roll_back
from components.deploy.model_registry import ModelRegistry
from components.deploy.registration import Entry, Registrar
from components.deploy.settings import DeploySettings
from components.deploy.smoke_test import Sentence, SmokeResult, SmokeTest, UnreachableError
from components.errors import RolloutError, ServingError, StepError
from tests.fakes.kubernetes_api import SERVICE, kubernetes_api
from tests.fakes.model_registry import model_registry

ENTRY = Entry("emotion", "", "", "", "", "gs://models/1", "", {})
SETTINGS = DeploySettings(target="kserve", ready_seconds=5)
PATIENCE = Patience(0.01, 0.1)


@dataclass(frozen=True)
class Scripted(SmokeTest):
    """A smoke test that ends as it is told."""

    error: StepError | None = None

    def run(self, address):
        assert address.url.startswith("http://emotion")
        if self.error:
            raise self.error
        return SmokeResult(1, 1.0, 1.0)


def ends(error=None):
    return Scripted("emotion", ["joy"], [Sentence("so happy", "joy")], error=error)


def service(name, labels=MappingProxyType({}), uri=""):
    facts = {"run": name, "model-sha256": name}
    notes = {FACT.format(key): fact for key, fact in facts.items()}
    uri = uri or f"gs://models/{name}"
    return inference_service("emotion", uri, "image:1", notes, STANDARD, labels)


def deploy(cluster, name, test=None):
    test = test or ends()
    bring_into_service(cluster, SETTINGS, service(name), test, lambda: None, name, PATIENCE)


AWAY = UnreachableError("address http://emotion", "did not answer", "Set gateway")
BAD = ServingError("predictor", "answers badly", "Train a better one")


@pytest.fixture
def two():
    """A cluster with `new` in service, and `old` before it."""
    with kubernetes_api() as (cluster, fake):
        for name in ("old", "new"):
            deploy(cluster, name)
        yield cluster, fake


def serves(fake):
    return fake.objects[SERVICE]["metadata"]["annotations"][FACT.format("run")]


def test_a_rollback_that_cannot_be_tried_out_stays(two, caplog):
    cluster, fake = two
    roll_back(cluster, SETTINGS, ends(AWAY), PATIENCE)
    assert serves(fake) == "old"
    assert "not tried out, and in service nevertheless: address http://emotion" in caplog.text


def test_a_rollback_whose_model_answers_badly_is_undone(two):
    cluster, fake = two
    with pytest.raises(ServingError, match="answers badly"):
        roll_back(cluster, SETTINGS, ends(BAD), PATIENCE)
    assert serves(fake) == "new"


def test_a_deploy_that_cannot_be_tried_out_is_undone(two):
    cluster, fake = two
    with pytest.raises(UnreachableError, match="did not answer"):
        deploy(cluster, "newest", ends(AWAY))
    assert serves(fake) == "new"
    assert release_of(fake.objects[SERVICE]) == release_of(service("new"))


def test_a_rollback_goes_from_an_image_to_a_download_and_back():
    downloaded = service("old")
    mounted = service("new", uri=f"oci+native://r.example/emotion@sha256:{'0' * 64}")
    with kubernetes_api() as (cluster, fake):
        for manifest in (downloaded, mounted):
            bring_into_service(cluster, SETTINGS, manifest, ends(), int, patience=PATIENCE)
        for manifest in (downloaded, mounted):
            roll_back(cluster, SETTINGS, ends(), PATIENCE)
            assert fake.objects[SERVICE]["spec"] == manifest["spec"]


def test_the_model_registry_is_told_of_a_rollback():
    with kubernetes_api() as (cluster, _), model_registry() as fake:
        told = Registrar(ModelRegistry(fake.url), cluster.namespace)
        for name in ("old", "new"):
            registered = told.register(replace(ENTRY, run_id=name))
            manifest = service(name, registered.labels())
            announce = partial(told.release, registered, serves=True)
            bring_into_service(
                cluster, SETTINGS, manifest, ends(), int, name, PATIENCE, announce=announce
            )
        roll_back(cluster, replace(SETTINGS, model_registry=fake.url), ends(), PATIENCE)
        (serving,) = fake.kept("inference_service")
        old, _ = fake.kept("model_version")
    assert (serving["modelVersionId"], serving["desiredState"]) == (old["id"], "DEPLOYED")


def test_a_deploy_that_fails_tells_the_model_registry_nothing(two):
    cluster, _ = two
    told = []
    with pytest.raises(ServingError):
        bring_into_service(
            cluster, SETTINGS, service("bad"), ends(BAD), int, announce=partial(told.append, 1)
        )
    assert told == []


def test_the_report_says_where_a_ready_service_answers(two):
    lines = dict(line.split(maxsplit=1) for line in report(two[0], "emotion").splitlines())
    assert lines["status"] == "ready at http://emotion-predictor.emotion.svc.cluster.local"
    assert (lines["run"], lines["before"]) == ("new", "old")


def test_a_service_that_somebody_has_stopped_is_reported_so(two):
    cluster, fake = two
    fake.objects[SERVICE]["metadata"]["annotations"]["serving.kserve.io/stop"] = "true"
    assert "status         stopped" in report(cluster, "emotion")


def test_a_first_deploy_that_kserve_refuses_leaves_nothing():
    with kubernetes_api(refusal="ServerlessModeRejected") as (cluster, fake):
        with pytest.raises(RolloutError, match="refused by KServe"):
            deploy(cluster, "new")
        assert SERVICE not in fake.objects
