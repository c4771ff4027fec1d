"""The overlays fit the schemas, hold what they must, and a misspelt field is noticed."""

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from components.serve.settings import ServeSettings
from tests.manifests import schemas
from tests.manifests.rendering import (
    MANIFESTS,
    OVERLAYS,
    Resource,
    example,
    named,
    of_kind,
    overlay,
    rendered,
)

ALL = [*overlay("gke"), *overlay("kind"), example()]
KINDS = {each["kind"]: each for each in ALL}
# Their keys are the user's, so no schema can know them.
LABELS = {"annotations", "data", "labels", "matchLabels"}
RESOURCES = {"default", "defaultRequest", "hard", "limits", "max", "requests"}


def title(resource: Resource) -> str:
    return f"{resource['kind']}/{resource['metadata']['name']}"


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all objects with fields of a schema."""
    if isinstance(value, dict):
        yield path
        for key, inner in value.items():
            if key not in LABELS | RESOURCES or isinstance(inner, list):
                yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def misspelt(resource: Resource, path: tuple[Any, ...]) -> Resource:
    result = copy.deepcopy(resource)
    place = result
    for key in path:
        place = place[key]
    place["misspelt"] = "x"
    return result


def missed(resource: Resource) -> list[tuple[Any, ...]]:
    """Places where a misspelt field is taken without a word."""
    return [
        path
        for path in places(resource)
        if not any("misspelt" in error for error in schemas.errors(misspelt(resource, path)))
    ]


@pytest.mark.parametrize("kubernetes", schemas.KUBERNETES)
@pytest.mark.parametrize("resource", ALL, ids=title)
def test_it_fits_its_schema(resource, kubernetes):
    assert schemas.errors(resource, kubernetes) == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_misspelt_field_is_refused_at_every_depth(kind):
    assert missed(KINDS[kind]) == []


@pytest.mark.parametrize("kind", ["ClusterStorageContainer", "InferenceService", "ServingRuntime"])
def test_kserves_own_client_refuses_the_same_where_its_schemas_are_not_at_hand(
    kind, monkeypatch, tmp_path
):
    monkeypatch.setattr(schemas, "KSERVE", tmp_path)
    assert schemas.errors(KINDS[kind]) == []
    assert missed(KINDS[kind]) == []


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("NetworkPolicy", ("spec", "policyTypes"), "Egress"),
        ("PodDisruptionBudget", ("spec", "selector"), []),
        ("PodMonitor", ("spec", "podMetricsEndpoints"), "all"),
        ("PrometheusRule", ("spec", "groups"), {}),
        ("ServingRuntime", ("spec", "containers"), {}),
    ],
)
def test_a_wrong_type_is_refused(kind, path, value):
    resource = copy.deepcopy(KINDS[kind])
    resource[path[0]][path[1]] = value
    assert schemas.errors(resource) != []


@pytest.mark.parametrize("name", OVERLAYS)
def test_all_of_it_is_in_the_namespace(name):
    for resource in overlay(name):
        if resource["kind"] not in {"Namespace", "ClusterStorageContainer"}:
            assert resource["metadata"]["namespace"] == "emotion", title(resource)


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_says_nothing_twice(name):
    titles = [title(each) for each in overlay(name)]
    assert len(titles) == len(set(titles))


def test_images_are_pinned_by_digest_where_there_is_a_registry():
    (runtime,) = of_kind(overlay("gke"), "ServingRuntime")
    assert "@sha256:" in runtime["spec"]["containers"][0]["image"]


def test_a_digest_reaches_the_custom_containers_of_an_inference_service(tmp_path):
    service = example()
    service["spec"]["predictor"]["containers"] = [{"image": "emotion-pipeline/serve"}]
    (tmp_path / "service.yaml").write_text(yaml.safe_dump(service))
    digest = "sha256:" + "1" * 64
    images = [{"name": "emotion-pipeline/serve", "newName": "r.example/serve", "digest": digest}]
    settings = {"resources": ["service.yaml"], "images": images}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(settings))
    (service,) = rendered(tmp_path)
    (container,) = service["spec"]["predictor"]["containers"]
    assert container["image"] == f"r.example/serve@{digest}"


def test_workload_identity_comes_from_the_settings():
    settings = named(overlay("gke"), "ConfigMap", "kfp-launcher")["data"]
    for name in ("runner", "predictor"):
        account = named(overlay("gke"), "ServiceAccount", name)
        annotations = account["metadata"]["annotations"]
        assert annotations["iam.gke.io/gcp-service-account"] == settings[f"{name}Account"]


@pytest.mark.parametrize(
    ("name", "root", "registry"), [("gke", "gs://", "gs://"), ("kind", "minio://", "s3://")]
)
def test_steps_write_to_the_clusters_object_storage(name, root, registry):
    launcher = named(overlay(name), "ConfigMap", "kfp-launcher")["data"]
    compiled = named(overlay(name), "ConfigMap", "emotion-compile-settings")["data"]
    settings = yaml.safe_load(compiled["compile-settings.yaml"])
    assert launcher["defaultPipelineRoot"].startswith(root)
    assert settings["parameters"]["deploy_registry"].startswith(registry)


@pytest.mark.parametrize(("name", "gpus"), [("gke", True), ("kind", False)])
def test_gpus_are_asked_for_only_where_there_are_some(name, gpus):
    (quota,) = of_kind(overlay(name), "ResourceQuota")
    assert (int(quota["spec"]["hard"]["requests.nvidia.com/gpu"]) > 0) is gpus
    compiled = named(overlay(name), "ConfigMap", "emotion-compile-settings")["data"]
    assert bool(yaml.safe_load(compiled["compile-settings.yaml"])["gpu"]) is gpus


@pytest.mark.parametrize("name", OVERLAYS)
def test_no_secret_is_shipped(name):
    for secret in of_kind(overlay(name), "Secret"):
        assert {"data", "stringData"}.isdisjoint(secret), title(secret)
    assert "AWS_SECRET_ACCESS_KEY=" not in json.dumps(overlay(name))


def test_the_grace_period_outlasts_the_predictors_shutdown(tmp_path):
    settings = ServeSettings(tmp_path)
    # HTTP ends first, then gRPC.
    longest = settings.drain_seconds + 2 * settings.shutdown_seconds
    assert example()["spec"]["predictor"]["terminationGracePeriodSeconds"] > longest


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_predictor_knows_the_options_of_the_runtime(name, tmp_path):
    (runtime,) = of_kind(overlay(name), "ServingRuntime")
    (container,) = runtime["spec"]["containers"]
    assert container["command"] == ["python", "-m", "components.serve"]
    arguments = [each.replace("{{.Name}}", "emotion") for each in container["args"]]
    # There is no model here, which it says only after it has read all options.
    command = [sys.executable, *container["command"][1:], *arguments, f"--model-dir={tmp_path}/no"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert f"serve: model folder {tmp_path}/no: does not exist" in done.stderr
    assert f"--http-port={container['ports'][0]['containerPort']}" in arguments


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_example_uses_what_the_overlay_ships(name):
    predictor = example()["spec"]["predictor"]
    runtime = named(overlay(name), "ServingRuntime", predictor["model"]["runtime"])
    formats = {each["name"] for each in runtime["spec"]["supportedModelFormats"]}
    assert predictor["model"]["modelFormat"]["name"] in formats
    assert named(overlay(name), "ServiceAccount", predictor["serviceAccountName"])
    assert named(overlay(name), "ClusterStorageContainer", predictor["storageContainerName"])


def test_every_folder_is_rendered_by_a_test():
    folders = {path.parent.name for path in MANIFESTS.glob("overlays/*/kustomization.yaml")}
    assert folders == set(OVERLAYS)


@pytest.mark.parametrize("name", OVERLAYS)
def test_argo_archives_no_logs_for_which_pods_would_need_kubeflows_secret(name):
    repositories = named(overlay(name), "ConfigMap", "artifact-repositories")
    notes = repositories["metadata"]["annotations"]
    chosen = notes["workflows.argoproj.io/default-artifact-repository"]
    assert yaml.safe_load(repositories["data"][chosen]) == {"archiveLogs": False}


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_run_started_in_the_ui_without_an_account_has_the_rights_of_one_with_it(name):
    (binding,) = (
        each
        for each in of_kind(overlay(name), "RoleBinding")
        if each["roleRef"]["name"] == "runner"
    )
    assert {each["name"] for each in binding["subjects"]} == {"runner", "default-editor"}
    runner, other = (
        copy.deepcopy(named(overlay(name), "ServiceAccount", account))
        for account in ("runner", "default-editor")
    )
    other["metadata"]["name"] = "runner"
    assert other == runner


def test_kfps_ui_can_open_what_the_launcher_writes_to_kubeflows_own_store():
    launcher = named(overlay("kind"), "ConfigMap", "kfp-launcher")["data"]
    scheme = launcher["defaultPipelineRoot"].partition("://")[0]
    assert scheme == "minio"
    assert set(yaml.safe_load(launcher["providers"])) == {scheme}
