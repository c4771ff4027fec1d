"""The InferenceService against KServe's own schema, and its command against the predictor."""

import copy
import sys
from contextlib import contextmanager
from dataclasses import asdict

import httpx
import pytest

from components.artifacts.model import bundle
from components.artifacts.signatures import Trust
from components.artifacts.task import load_task
from components.deploy.cluster.service import ServiceAddress
from components.deploy.inference_service import (
    FACT,
    KNATIVE,
    STANDARD,
    inference_service,
    release_of,
    with_candidate,
)
from components.deploy.kserve import adapted
from components.deploy.registration import Registered
from components.deploy.settings import DeploySettings
from components.deploy.smoke_test import NotAnsweringError, smoke_test_of
from components.processes import free_port, running_server
from components.serve.settings import ServeSettings
from tests.manifests.rendering import OVERLAYS, example, named, of_kind, overlay
from tests.manifests.schemas import errors

FACTS = {"emotion-pipeline/run": "r1"}
SERVICES = {
    mode: inference_service("emotion", "gs://models/emotion", "r.example/emotion:1", FACTS, mode)
    for mode in (KNATIVE, STANDARD)
}
SERVICE = SERVICES[KNATIVE]


def predictor(service):
    return service["spec"]["predictor"]


def container(service):
    return predictor(service)["containers"][0]


@pytest.mark.parametrize("mode", SERVICES)
def test_it_fits_kserves_schema(mode):
    assert errors(SERVICES[mode]) == []


@pytest.mark.parametrize(
    "trust",
    [
        Trust(public_key="-----BEGIN PUBLIC KEY-----\nMFk=\n-----END PUBLIC KEY-----\n"),
        Trust(signer_identity="me@example.com", signer_issuer="https://issuer.example"),
    ],
)
@pytest.mark.parametrize("mode", SERVICES)
def test_what_it_trusts_fits_kserves_schema_and_the_predictor(mode, trust, tmp_path):
    service = inference_service(
        "emotion", "gs://models/emotion", "image:1", FACTS, mode, trust=trust
    )
    assert errors(service) == []
    options = [each.partition("=") for each in container(service)["args"]]
    given = {name[2:].replace("-", "_"): value for name, _, value in options}
    chosen = {name: given[name] for name in asdict(trust) if name in given}
    assert ServeSettings(tmp_path, **chosen).trust == trust


@pytest.mark.parametrize("mode", SERVICES)
def test_an_image_needs_no_container_that_downloads(mode):
    image = f"oci+native://r.example/models/emotion@sha256:{'0' * 64}"
    service = inference_service("emotion", image, "r.example/emotion:1", FACTS, mode)
    assert errors(service) == []
    assert "storageContainerName" not in predictor(service)
    assert "storageContainerName" in predictor(SERVICES[mode])


def test_it_takes_labels():
    labels = Registered("1", "2", "3", "4", "http://registry").labels()
    service = inference_service("emotion", "gs://models/1", "image:1", FACTS, labels=labels)
    assert errors(service) == []
    assert service["metadata"]["labels"] == labels


@pytest.mark.parametrize("percent", [0, 10])
def test_a_candidate_beside_it_fits_as_well(percent):
    service = SERVICES[STANDARD]
    assert errors(with_candidate(service, service, percent)) == []


@pytest.mark.parametrize(
    ("place", "field"),
    [
        (lambda service: service, "specs"),
        (lambda service: service["spec"], "predictors"),
        (predictor, "automountServiceAccountTokens"),
        (container, "readynessProbe"),
        (lambda service: container(service)["securityContext"], "runAsNonroot"),
        (lambda service: container(service)["readinessProbe"]["httpGet"], "paths"),
    ],
)
def test_a_misspelt_field_does_not_fit(place, field):
    service = copy.deepcopy(SERVICE)
    place(service)[field] = True
    assert any(field in error for error in errors(service))


def test_it_runs_with_least_rights():
    context = container(SERVICE)["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] > 0
    assert context["readOnlyRootFilesystem"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert predictor(SERVICE)["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    ("model_uri", "storage_uri"),
    [
        ("gs://bucket/model", "gs://bucket/model"),
        ("minio://mlpipeline/v2/run/model", "s3://mlpipeline/v2/run/model"),
        ("pvc://claim/model", "pvc://claim/model"),
    ],
)
def test_kserve_is_told_where_the_model_is(model_uri, storage_uri):
    service = inference_service("emotion", model_uri, "image:1", {})
    assert {"name": "STORAGE_URI", "value": storage_uri} in container(service)["env"]


@pytest.mark.parametrize("mode", SERVICES)
@pytest.mark.parametrize("name", OVERLAYS)
def test_it_uses_what_the_overlay_ships(mode, name):
    spec = predictor(SERVICES[mode])
    assert named(overlay(name), "ServiceAccount", spec["serviceAccountName"])
    storage = named(overlay(name), "ClusterStorageContainer", spec["storageContainerName"])
    prefixes = [each["prefix"] for each in storage["spec"]["supportedUriFormats"]]
    assert prefixes == ["gs://", "s3://"]


def test_knative_gets_nothing_that_it_refuses():
    (port,) = container(SERVICE)["ports"]
    assert port["containerPort"] == 8080
    assert "terminationGracePeriodSeconds" not in predictor(SERVICE)


def test_standard_mode_has_grpc_and_time_to_stop(tmp_path):
    service = SERVICES[STANDARD]
    ports = {each["name"]: each["containerPort"] for each in container(service)["ports"]}
    assert ports == {"http": 8080, "grpc": 8081}
    assert "--grpc-port=8081" in container(service)["args"]
    settings = ServeSettings(tmp_path)
    longest = settings.drain_seconds + 2 * settings.shutdown_seconds
    assert predictor(service)["terminationGracePeriodSeconds"] > longest


def test_each_mode_has_a_release_of_its_own():
    assert release_of(SERVICES[KNATIVE]) != release_of(SERVICES[STANDARD])


def test_the_example_and_its_runtime_serve_as_the_deploy_step_does():
    mine, theirs = predictor(SERVICES[STANDARD]), predictor(example())
    alike = mine.keys() - {"containers", "labels"}
    assert {key: theirs.get(key) for key in alike} == {key: mine[key] for key in alike}
    runtime = named(overlay("gke"), "ServingRuntime", theirs["model"]["runtime"])
    (shipped,) = runtime["spec"]["containers"]
    ours = container(SERVICES[STANDARD])
    for key in ("command", "resources", "securityContext", "readinessProbe", "livenessProbe"):
        assert shipped[key] == ours[key], key
    named_run = [each.replace("{{.Name}}", "emotion") for each in shipped["args"]]
    assert set(ours["args"]) - set(named_run) == {"--run-id=r1"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_policies_and_budget_select_its_pods(name):
    # KServe itself gives every pod of a service this label; ours may not replace it.
    label = "serving.kserve.io/inferenceservice"
    assert set(predictor(SERVICE)["labels"]) == {"emotion-pipeline/release"}
    (budget,) = of_kind(overlay(name), "PodDisruptionBudget")
    assert budget["spec"]["selector"] == {"matchLabels": {label: SERVICE["metadata"]["name"]}}
    selectors = [each["spec"]["podSelector"] for each in of_kind(overlay(name), "NetworkPolicy")]
    assert {"matchExpressions": [{"key": label, "operator": "Exists"}]} in selectors


@contextmanager
def started(spec, model_folder, log):
    """The predictor, by its container's command; yields its URL."""
    port = free_port()
    # Here the model is not mounted at /mnt/models and another server may have port 8080; of
    # an option given twice the last counts.
    here = ["--model-dir", str(model_folder), "--host", "127.0.0.1", "--http-port", str(port)]
    here += ["--grpc-port", str(free_port())] if "--grpc-port=8081" in spec["args"] else []
    assert spec["command"][0] == "python"
    command = [sys.executable, *spec["command"][1:], *spec["args"], *here]
    url = f"http://127.0.0.1:{port}"
    with running_server(command, url + spec["readinessProbe"]["httpGet"]["path"], log, 60.0):
        yield url


@pytest.mark.parametrize("mode", SERVICES)
def test_its_command_starts_a_predictor_that_its_probes_find(model_folder, tmp_path, mode):
    spec = container(SERVICES[mode])
    ready, live = (spec[name]["httpGet"] for name in ("readinessProbe", "livenessProbe"))
    assert {ready["port"], live["port"], spec["ports"][0]["containerPort"]} == {8080}
    assert "--http-port=8080" in spec["args"]
    with started(spec, model_folder, tmp_path / "log") as url:
        assert httpx.get(url + live["path"], trust_env=False).status_code == httpx.codes.OK


def test_the_predictor_answers_the_version_that_its_deploy_expects(model_folder, tmp_path):
    mine, theirs = (
        inference_service("emotion", "gs://models/1", "image:1", facts_of_run(run, model_folder))
        for run in ("0f0d-run", "another-run")
    )
    settings = DeploySettings(endpoint_seconds=0.1, max_latency_ms=10_000)
    test = smoke_test_of("emotion", load_task("emotion"))
    with started(container(mine), model_folder, tmp_path / "log") as url:
        adapted(test, settings, mine).run(ServiceAddress(url))
        with pytest.raises(NotAnsweringError, match=r"by model 0f0d-run:.*, not another-run:"):
            adapted(test, settings, theirs).run(ServiceAddress(url))


def facts_of_run(run_id, model_folder):
    facts = {"run": run_id, "model-sha256": bundle.verify(model_folder).sha256}
    return {FACT.format(name): fact for name, fact in facts.items()}
