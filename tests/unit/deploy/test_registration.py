"""What the model registry is told of a release: read back, and by the registry's own client."""

import asyncio
import logging
import math
import uuid
from dataclasses import replace

import httpx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route

from components.artifacts.model import bundle
from components.artifacts.remarks import remark, remarks_in
from components.artifacts.task import load_task
from components.deploy.inference_service import inference_service
from components.deploy.model_registry import ModelRegistry
from components.deploy.registration import Entry, Registered, Registrar, opening_of
from components.deploy.release import TrainedModel
from components.deploy.run import deploy
from components.deploy.settings import DeploySettings
from components.errors import InputError
from tests.evaluations import EVALUATION, write_evaluation
from tests.fakes.http_server import running
from tests.fakes.model_registry import model_registry

ENTRY = Entry(
    service_name="emotion",
    purpose="Predicts a feeling: joy, anger.",
    run_id="run-1",
    run_name="nightly",
    run_namespace="kubeflow-user",
    model_uri="gs://models/run-1/serving",
    description="Assigns one of 2 labels.",
    properties={"accuracy": 0.9, "log_loss": math.inf, "model-sha256": "ab"},
)
CARD = """---
license: apache-2.0
---

# Text classifier: emotion

Assigns one of 6 labels to a short text.
Version `ab`; it passed the release gate.

## Use
"""


@pytest.fixture
def url(pytestconfig):
    """A registry in memory, or the one that `--model-registry` names."""
    if real := pytestconfig.getoption("--model-registry"):
        yield real
        return
    with model_registry() as registry:
        yield registry.url


@pytest.fixture
def entry():
    """An entry of a model that nobody has registered yet."""
    return replace(ENTRY, service_name=f"emotion-{uuid.uuid4().hex[:8]}")


def registrar(url, namespace="emotion"):
    return Registrar(ModelRegistry(url, pause_seconds=0.01), namespace)


def found(url, kind, name, parent=""):
    """A resource as the registry answers it."""
    for api in ("v1", "v1alpha3"):
        answer = httpx.get(
            f"{url}/api/model_registry/{api}/{kind}",
            params={"name": name, "parentResourceId": parent},
            verify=False,  # noqa: S501 (it is read without TLS, for which certificates take long)
        )
        if answer.is_success:
            return answer.json()
    raise AssertionError(answer.text)


def states(url, registered, entry):
    """What is said of version, artifact and service."""
    version = found(url, "model_version", entry.run_id, registered.model)
    artifact = found(url, "model_artifact", entry.service_name, registered.version)
    environment = found(url, "serving_environment", "emotion")["id"]
    service = found(url, "inference_service", entry.service_name, environment)
    serving = service["desiredState"], service.get("modelVersionId")
    return version["state"], artifact["state"], *serving


def test_a_version_is_said_to_serve_once_it_does_and_not_before(url, entry):
    told = registrar(url)
    registered = told.register(entry)
    assert states(url, registered, entry) == ("ARCHIVED", "PENDING", "UNDEPLOYED", None)
    told.release(registered, serves=True)
    assert states(url, registered, entry) == ("LIVE", "LIVE", "DEPLOYED", registered.version)


def test_where_nothing_is_deployed_no_version_is_said_to_serve(url, entry):
    told = registrar(url)
    registered = told.register(entry)
    told.release(registered, serves=False)
    assert states(url, registered, entry) == ("LIVE", "LIVE", "UNDEPLOYED", None)


def test_a_run_is_registered_once_however_often_it_is_told(url, entry):
    first = registrar(url).register(entry)
    registrar(url).release(first, serves=True)
    assert registrar(url).register(entry) == first
    assert states(url, first, entry) == ("LIVE", "LIVE", "DEPLOYED", first.version)
    second = registrar(url).register(replace(entry, run_id="run-2"))
    assert (second.model, second.service) == (first.model, first.service)
    assert second.version != first.version


def test_a_release_that_fails_leaves_the_service_with_the_version_before(url, entry):
    told = registrar(url)
    first = told.register(entry)
    told.release(first, serves=True)
    failed = told.register(replace(entry, run_id="run-2"))
    state, _, *serving = states(url, failed, replace(entry, run_id="run-2"))
    assert (state, *serving) == ("ARCHIVED", "DEPLOYED", first.version)


def test_after_a_rollback_the_service_has_the_earlier_version(url, entry):
    told = registrar(url)
    first = told.register(entry)
    told.release(first, serves=True)
    told.release(told.register(replace(entry, run_id="run-2")), serves=True)
    told.serve_again(service_of(entry, first))
    assert states(url, first, entry)[2:] == ("DEPLOYED", first.version)
    told.serve_again(service_of(entry, Registered()))
    assert states(url, first, entry)[2] == "UNDEPLOYED"


def service_of(entry, registered):
    labels = registered.labels()
    return inference_service(entry.service_name, entry.model_uri, "image:1", {}, labels=labels)


def test_a_rollback_of_a_service_that_the_registry_does_not_know_registers_nothing():
    with model_registry() as fake:
        registrar(fake.url).serve_again(service_of(ENTRY, Registered()))
        assert fake.resources == {}


def test_the_registry_s_own_client_reads_what_was_registered(entry):
    from model_registry import ModelRegistry as Client

    with model_registry(token="secret") as fake:  # noqa: S106
        told = Registrar(ModelRegistry(fake.url, "secret"), "emotion")
        told.release(told.register(entry), serves=True)
        client = Client(
            fake.url,
            author="a test",
            is_secure=False,
            user_token="secret",  # noqa: S106
            async_runner=asyncio.run,
        )
        model = client.get_registered_model(entry.service_name)
        version = client.get_model_version(entry.service_name, "run-1")
        artifact = client.get_model_artifact(entry.service_name, "run-1")
    assert model.description == entry.purpose
    assert version.description == entry.description
    assert version.custom_properties == {"accuracy": 0.9, "model-sha256": "ab"}
    assert artifact.uri == entry.model_uri
    source = {
        "kind": "kfp",
        "class": "pipelinerun",
        "group": "kubeflow-user",
        "id": "run-1",
        "name": "nightly",
    }
    assert {part: getattr(artifact, f"model_source_{part}") for part in source} == source


def test_an_older_server_is_asked_in_its_own_version():
    with model_registry() as fake:
        fake.api = "v1alpha3"
        told = registrar(fake.url)
        told.release(told.register(ENTRY), serves=True)
        assert fake.kept("model_version")[0]["state"] == "LIVE"


def test_labels_are_in_both_spellings():
    registered = Registered("1", "2", "3", "4", "http://registry")
    ids = {"registered-model-id": "1", "model-version-id": "2"}
    plain = {f"modelregistry/{name}": known for name, known in ids.items()}
    ids["inference-service-id"] = "4"
    hub = {f"modelregistry.kubeflow.org/{name}": known for name, known in ids.items()}
    assert registered.labels() == plain | hub
    assert registered.annotations() == {"modelregistry.kubeflow.org/url": "http://registry"}


def test_without_the_id_of_a_service_hub_s_controller_gets_no_labels():
    """It would never let go of a custom container (see `components.deploy.registration`)."""
    registered = Registered("1", "2", "3", "", "http://registry")
    assert all(name.startswith("modelregistry/") for name in registered.labels())
    assert registered.annotations() == {}
    assert Registered().labels() == {}


def test_a_process_that_was_faster_is_no_error():
    with model_registry() as fake:
        slow = ModelRegistry(fake.url)
        find, ways = slow.find, iter([True])

        def blind(*asked):
            return "" if next(ways, False) else find(*asked)

        slow.find = blind
        known = registrar(fake.url).register(ENTRY)
        assert Registrar(slow, "emotion").register(ENTRY) == known


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_registry_that_is_down_is_asked_again_and_then_remarked(status, caplog):
    with model_registry() as fake:
        fake.outage = status
        assert registrar(fake.url).register(ENTRY) == Registered()
        assert len(fake.asked) == 3
    (said,) = remarks_in(caplog.text_of_messages())
    assert f"answers {status}" in said
    assert said.startswith("deploy: the model registry was not told of the release: model registry")


def test_a_registry_that_cannot_be_reached_is_remarked(caplog):
    assert registrar("http://127.0.0.1:1").register(ENTRY) == Registered()
    (said,) = remarks_in(caplog.text_of_messages())
    assert "cannot be reached (ConnectError" in said


def test_a_token_that_is_refused_is_remarked_and_not_shown(caplog):
    with model_registry(token="right") as fake:  # noqa: S106
        wrong = Registrar(ModelRegistry(fake.url, "wr0ng"), "emotion")
        assert wrong.register(ENTRY) == Registered()
        assert len(fake.asked) == 1
    assert "answers 401" in caplog.text
    assert "MODEL_REGISTRY_TOKEN" in caplog.text
    assert "wr0ng" not in caplog.text


@pytest.fixture
def caplog(caplog):
    caplog.set_level(logging.INFO, "components")
    caplog.text_of_messages = lambda: "\n".join(caplog.messages)
    return caplog


@pytest.mark.parametrize("answer", ["<html>", "[]", '{"items": ', "[" * 10_000])
def test_what_is_no_registry_is_said_to_be_none(answer, caplog, page):
    with page(answer) as url:
        assert registrar(url).register(ENTRY) == Registered()
    assert "as no model registry does" in caplog.text


def test_where_a_proxy_sends_one_to_log_in_is_said_without_what_it_adds(caplog):
    def answer(_):
        return RedirectResponse("https://dex.example/auth?state=secret", 302)

    with running([Route("/{path:path}", answer)]) as url:
        assert registrar(url).register(ENTRY) == Registered()
    assert "answers 302 and https://dex.example/auth, as no" in caplog.text
    assert "secret" not in caplog.text


def test_a_refusal_in_other_words_is_shown_in_one_line(caplog):
    def answer(_):
        return PlainTextResponse('{"error":\n "no such tenant"}', 403)

    with running([Route("/{path:path}", answer)]) as url:
        assert registrar(url).register(ENTRY) == Registered()
    assert 'answers 403: {"error": "no such tenant"}. Check' in caplog.text


def test_an_answer_without_an_id_is_none_of_a_registry(caplog, page):
    with page('{"id": 7}') as url:
        assert registrar(url).register(ENTRY) == Registered()
    assert "an object without an id" in caplog.text


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://registry.kubeflow.svc:8080", "Bearer of-the-pod"),
        ("https://registry.kubeflow.svc.cluster.local", "Bearer of-the-pod"),
        ("https://registry.example.com", None),
        ("https://registry.svc.example.com", None),
        ("http://kubeflow.svc@example.com", None),
    ],
)
def test_the_pod_s_own_token_goes_to_hosts_of_the_cluster_only(url, sent, tmp_path, asked):
    (tmp_path / "token").write_text("of-the-pod\n")
    with pytest.raises(InputError):
        ModelRegistry(url, pod=tmp_path).require()
    assert asked[-1].headers.get("Authorization") == sent
    with pytest.raises(InputError):
        ModelRegistry(url, "given", pod=tmp_path).require()
    assert asked[-1].headers["Authorization"] == "Bearer given"


def test_a_token_that_no_header_can_carry_is_not_shown(tmp_path):
    with pytest.raises(InputError, match="token of the model registry: holds a line break") as told:
        ModelRegistry("http://registry", "a-\nsecret", pod=tmp_path).require()
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (
            CARD,
            "Assigns one of 6 labels to a short text. Version `ab`; it passed the release gate.",
        ),
        ("", ""),
        ("# A title\n", ""),
        ("---\nlicense: [\n---\nWords.", "Words."),
        ("Words.\n\nMore.", "Words."),
    ],
)
def test_a_card_s_first_paragraph_says_what_a_model_is(card, said):
    assert opening_of(card) == said


@given(st.text())
def test_a_card_of_any_kind_gives_a_line(card):
    assert "\n" not in opening_of(card)


@given(st.text())
def test_a_remark_is_found_in_a_log_whatever_is_around_it(text):
    lines = ["deploy: published", remark("deploy", f"x{text}"), "deploy: done", ""]
    words = " ".join(f"x{text}".split())
    assert remarks_in("\n".join(lines)) == [f"deploy: {words}"]


@pytest.fixture
def trained(sealed_model, tmp_path):
    """A model of the task, with its evaluation and card."""
    bundle.write_labels(sealed_model, bundle.Labels("emotion", load_task("emotion").names, 64, 0))
    bundle.write_manifest(sealed_model, {})
    (tmp_path / "card.md").write_text(CARD)
    evaluation = write_evaluation(tmp_path / "evaluation.json")
    uri, card = "gs://models/emotion", tmp_path / "card.md"
    return TrainedModel(sealed_model, uri, evaluation, card, "run-1", "nightly")


def test_the_step_registers_its_model_and_labels_the_service(trained, tmp_path):
    with model_registry() as fake:
        settings = DeploySettings(
            target="render", namespace="emotion", model_registry=fake.url + "/"
        )
        deploy(settings, trained, tmp_path / "deployment")
        (version,), (artifact,) = fake.kept("model_version"), fake.kept("model_artifact")
        (model,), (service,) = fake.kept("registered_model"), fake.kept("inference_service")
    manifest = yaml.safe_load((tmp_path / "deployment" / "inference_service.yaml").read_text())
    registered = Registered(model["id"], version["id"], artifact["id"], service["id"], fake.url)
    assert manifest["metadata"]["labels"] == registered.labels()
    assert registered.annotations().items() <= manifest["metadata"]["annotations"].items()
    assert version["description"].startswith("Assigns one of 6 labels")
    scores = {
        name: each["double_value"]
        for name, each in version["customProperties"].items()
        if "double_value" in each
    }
    assert scores == EVALUATION.figures()
    assert artifact["uri"] == "gs://models/emotion"
    assert artifact["modelSourceName"] == "nightly"
    assert (version["state"], artifact["state"]) == ("LIVE", "LIVE")


def test_a_registry_that_is_down_does_not_keep_a_model_from_its_release(trained, tmp_path, caplog):
    settings = DeploySettings(target="render", model_registry="http://127.0.0.1:1")
    deploy(settings, trained, tmp_path / "deployment")
    manifest = yaml.safe_load((tmp_path / "deployment" / "inference_service.yaml").read_text())
    assert "labels" not in manifest["metadata"]
    assert len(remarks_in(caplog.text_of_messages())) == 1


@pytest.mark.parametrize("url", ["registry", "ftp://registry", "http://", "http://a b"])
def test_what_is_no_url_of_a_registry_is_refused(url):
    with pytest.raises(InputError, match="model_registry="):
        DeploySettings(model_registry=url)


@pytest.mark.parametrize(
    "url",
    [
        "https://me:secret@registry",
        "https://registry/?secret=1",
        "https://registry/#/secret",
        "https://registry/api/model_registry/v1?secret",
    ],
)
def test_more_than_the_address_of_a_registry_is_refused_and_not_shown(url):
    with pytest.raises(InputError, match="model_registry: holds more than its address") as told:
        DeploySettings(model_registry=url)
    assert "secret" not in str(told.value)


@pytest.fixture
def page():
    """Serves one answer whatever is asked."""
    from contextlib import contextmanager

    @contextmanager
    def serve(text):
        def answer(_):
            return PlainTextResponse(text)

        methods = ["GET", "POST", "PATCH"]
        with running([Route("/{path:path}", answer, methods=methods)]) as url:
            yield url

    return serve


@pytest.fixture
def asked(monkeypatch):
    """The requests that would be sent, each answered with a refusal."""
    seen = []

    def send(method, url, **given):
        seen.append(httpx.Request(method, url, headers=given["headers"]))
        return httpx.Response(403, json={"message": "no"})

    monkeypatch.setattr(httpx, "request", send)
    return seen
