"""The InferenceService against KServe's own schema, and its command against the predictor."""

import copy
import sys

import httpx
import pytest

from components.deploy.inference_service import inference_service
from components.processes import free_port, running_server
from tests.manifests.schemas import errors

SERVICE = inference_service(
    "emotion", "gs://models/emotion", "registry.example/emotion:1", {"emotion-pipeline/run": "r1"}
)


def predictor(service):
    return service["spec"]["predictor"]


def container(service):
    return predictor(service)["containers"][0]


def test_it_fits_kserves_schema():
    assert errors(SERVICE) == []


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


def test_its_command_starts_a_predictor_that_its_probes_find(model_folder, tmp_path):
    spec = container(SERVICE)
    port = free_port()
    # Here the model is not mounted at /mnt/models and another server may have port 8080; of
    # an option given twice the last counts.
    here = ["--model-dir", str(model_folder), "--host", "127.0.0.1", "--http-port", str(port)]
    assert spec["command"][0] == "python"
    command = [sys.executable, *spec["command"][1:], *spec["args"], *here]
    ready, live = (spec[name]["httpGet"] for name in ("readinessProbe", "livenessProbe"))
    assert {ready["port"], live["port"], spec["ports"][0]["containerPort"]} == {8080}
    assert "--http-port=8080" in spec["args"]
    url = f"http://127.0.0.1:{port}"
    with running_server(command, url + ready["path"], tmp_path / "log", 60.0):
        assert httpx.get(url + live["path"], trust_env=False).status_code == httpx.codes.OK
