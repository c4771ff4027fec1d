"""Compiling for a cluster: settings, image lock and parameter sets."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from kfp import components

from components.deploy.settings import DeploySettings
from components.errors import InputError
from pipelines.compile import __main__ as command
from pipelines.compile.resources import Resources
from pipelines.compile.settings import PLAIN, read_settings
from pipelines.emotion import emotion_for
from pipelines.lock import read_lock
from pipelines.parameters import read_parameters
from tests.compiled import executors, read_compiled, steps
from tests.manifests.rendering import named, of_kind, overlay

ROOT = Path(__file__).parents[3]
OVERLAYS = ROOT / "manifests" / "overlays"
SETS = sorted((ROOT / "pipelines" / "params").glob("*.yaml"))
GKE = OVERLAYS / "gke" / "compile-settings.yaml"
IMAGES = ("generate", "merge", "train", "evaluate", "deploy", "serve")
LOCK = {name: f"registry.example/team/{name}@sha256:{'0123456789abcdef' * 4}" for name in IMAGES}
FULL_SETTINGS = """
gpu:
  resource: amd.com/gpu
  node_selector: {pool: big}
  tolerations: [{key: gpu, operator: Exists, effect: NoExecute}]
  spot: cloud.google.com/gke-spot
steps:
  train: {memory: 64Gi, gpus: 2, hours: 12, retries: 1}
  evaluate: {shared_memory: 1Gi}
secrets:
  llm_key: llm
  hub_token: hub
  deployer_token: deployer-token
  image_registry: pull-and-push
  model_registry_token: registry
  signing_key: signing
  webhook_url: webhook
  object_storage: keys
object_storage: {endpoint: "http://store.example:9000", region: here}
cache_volume: hub-cache
"""


def compiled(output, *options):
    """What the command behind `make compile` writes."""
    command.main([*map(str, options), str(output)], standalone_mode=False)
    return read_compiled(output)


def written(folder, content):
    path = folder / "given.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """The pipeline compiled with every setting there is."""
    folder = tmp_path_factory.mktemp("everything")
    return compiled(folder / "out.yaml", "--settings", written(folder, FULL_SETTINGS))


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_every_parameter_set_compiles_and_the_form_shows_it(path, tmp_path):
    spec, _ = compiled(tmp_path / "out.yaml", "--params", path)
    shown = spec["root"]["inputDefinitions"]["parameters"]
    assert {name: each["defaultValue"] for name, each in shown.items()} == read_parameters(path)


def test_a_release_names_every_image_by_its_digest(tmp_path):
    lock = written(tmp_path, LOCK)
    spec, _ = compiled(tmp_path / "out.yaml", "--lock", lock, "--settings", GKE)
    assert {name: each["image"] for name, each in executors(spec).items()} == {
        name: LOCK.get(name, LOCK["deploy"]) for name in executors(spec)
    }
    deploy = steps(spec)["deploy"]["inputs"]["parameters"]
    assert deploy["serve_image"]["runtimeValue"]["constant"] == LOCK["serve"]
    assert components.load_component_from_file(str(tmp_path / "out.yaml")).name == "emotion"


def test_without_a_lock_images_have_their_plain_names(everything):
    spec, _ = everything
    assert executors(spec)["train"]["image"] == "emotion-pipeline/train"
    deploy = steps(spec)["deploy"]["inputs"]["parameters"]
    assert deploy["serve_image"]["runtimeValue"]["constant"] == DeploySettings.image


@pytest.mark.parametrize("missing", IMAGES)
def test_an_image_that_is_missing_in_the_lock_is_named(missing, tmp_path):
    lock = written(tmp_path, {name: LOCK[name] for name in IMAGES if name != missing})
    with pytest.raises(InputError, match=f"image {missing}: is not in the image lock"):
        emotion_for(replace(PLAIN, images=read_lock(lock)))


@pytest.mark.parametrize(
    "reference", ["r.example/train", "r.example/train:1", "r.example/train@sha256:12", 5, None]
)
def test_an_image_without_a_digest_is_refused(reference, tmp_path):
    lock = written(tmp_path, {**LOCK, "train": reference})
    with pytest.raises(InputError, match=r"train: .* has no digest"):
        read_lock(lock)


@pytest.mark.parametrize("content", ["", "[]", "{", "train"])
def test_a_file_that_is_no_lock_is_refused(content, tmp_path):
    with pytest.raises(InputError, match=r"image lock .*given\.yaml"):
        read_lock(written(tmp_path, content))


def test_a_missing_file_is_named(tmp_path):
    for read in (read_lock, read_settings):
        with pytest.raises(InputError, match="nowhere"):
            read(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize("step", ["generate", "train"])
def test_steps_with_a_gpu_go_to_gpu_nodes(everything, step):
    spec, kubernetes = everything
    accelerator = executors(spec)[step]["resources"]["accelerator"]
    assert accelerator["resourceType"] == "amd.com/gpu"
    assert accelerator["resourceCount"] == ("2" if step == "train" else "1")
    assert kubernetes[step]["nodeSelector"]["labels"] == {
        "pool": "big",
        "cloud.google.com/gke-spot": "true",
    }
    assert kubernetes[step]["tolerations"] == [
        {"key": "gpu", "operator": "Exists", "effect": "NoExecute"},
        {
            "key": "cloud.google.com/gke-spot",
            "operator": "Equal",
            "value": "true",
            "effect": "NoSchedule",
        },
    ]


@pytest.mark.parametrize("step", ["merge", "evaluate", "deploy"])
def test_the_other_steps_stay_away_from_them(everything, step):
    spec, kubernetes = everything
    assert "accelerator" not in executors(spec)[step]["resources"]
    assert {"nodeSelector", "tolerations"}.isdisjoint(kubernetes[step])


def test_preflight_knows_what_the_steps_ask_of_the_nodes(everything):
    spec, _ = everything
    asked = steps(spec)["preflight"]["inputs"]["parameters"]["gpu"]["runtimeValue"]["constant"]
    assert asked == {
        "resource": "amd.com/gpu",
        "count": 2,
        "of_generate": 1,
        "node_selector": {"pool": "big", "cloud.google.com/gke-spot": "true"},
    }


def test_settings_change_single_cells_of_the_table(everything):
    spec, kubernetes = everything
    train = executors(spec)["train"]["resources"]
    assert (train["resourceCpuLimit"], train["resourceMemoryLimit"]) == ("8", "64Gi")
    assert kubernetes["train"]["activeDeadlineSeconds"] == str(12 * 3600)
    policy = steps(spec)["train"]["retryPolicy"]
    assert policy["maxRetryCount"] == 1
    assert int(policy["backoffMaxDuration"].removesuffix("s")) > 2 * 12 * 3600
    assert kubernetes["evaluate"]["emptyDirMounts"][0]["mountPath"] == "/dev/shm"  # noqa: S108
    assert executors(spec)["merge"]["resources"]["resourceMemoryLimit"] == "4Gi"


def test_only_the_steps_that_need_a_secret_get_it(everything):
    _, kubernetes = everything
    read = {
        step: {
            (each["secretName"], key["envVar"])
            for each in pod.get("secretAsEnv", ())
            for key in each["keyToEnv"]
        }
        for step, pod in kubernetes.items()
    }
    hub = ("hub", "HF_TOKEN")
    registry = ("registry", "MODEL_REGISTRY_TOKEN")
    # Each may be given a place in the store.
    keys = {("keys", "AWS_ACCESS_KEY_ID"), ("keys", "AWS_SECRET_ACCESS_KEY")}
    assert read == {
        "preflight": {("llm", "LLM_API_KEY"), hub, registry, *keys},
        "outcome": {("webhook", "WEBHOOK_URL"), *keys},
        "generate": {("llm", "LLM_API_KEY"), hub, *keys},
        "merge": {hub, *keys},
        "train": {hub, *keys},
        "evaluate": keys,
        "deploy": {registry, *keys},
    }
    mounted = {
        step: [(each["secretName"], each["mountPath"]) for each in pod["secretAsVolume"]]
        for step, pod in kubernetes.items()
        if "secretAsVolume" in pod
    }
    read = [
        ("deployer-token", "/var/run/secrets/deployer"),
        ("pull-and-push", "/var/run/secrets/image-registry"),
        ("signing", "/var/run/secrets/signing"),
    ]
    assert mounted == {"preflight": read, "deploy": read}


def environment(spec, step):
    """The variables of a step's container that are no secrets."""
    return {each["name"]: each["value"] for each in executors(spec)[step].get("env", ())}


def test_every_step_finds_the_object_storage(everything):
    spec, _ = everything
    for step in executors(spec):
        found = environment(spec, step)
        assert found["AWS_ENDPOINT_URL"] == "http://store.example:9000"
        assert found["AWS_DEFAULT_REGION"] == "here"


def test_downloads_are_kept_on_the_cache_volume(everything):
    spec, kubernetes = everything
    for step in executors(spec):
        claims = [
            (each["constant"], each["mountPath"]) for each in kubernetes[step].get("pvcMount", ())
        ]
        home = environment(spec, step).get("HF_HOME")
        assert claims == ([("hub-cache", home)] if step in {"generate", "merge", "train"} else [])
        assert bool(home) == bool(claims)


def test_a_cluster_without_gpus_is_asked_for_none(tmp_path):
    path = OVERLAYS / "kind" / "compile-settings.yaml"
    spec, _ = compiled(tmp_path / "out.yaml", "--settings", path)
    assert all("accelerator" not in each["resources"] for each in executors(spec).values())
    asked = steps(spec)["preflight"]["inputs"]["parameters"]["gpu"]["runtimeValue"]["constant"]
    assert asked == {}


def test_on_kind_steps_and_launcher_use_the_same_store_and_keys(tmp_path):
    path = OVERLAYS / "kind" / "compile-settings.yaml"
    spec, kubernetes = compiled(tmp_path / "out.yaml", "--settings", path)
    launcher = named(overlay("kind"), "ConfigMap", "kfp-launcher")["data"]
    (provider,) = yaml.safe_load(launcher["providers"]).values()
    for step in executors(spec):
        (secret,) = {each["secretName"] for each in kubernetes[step]["secretAsEnv"]}
        assert secret == provider["default"]["credentials"]["secretRef"]["secretName"]
        found = environment(spec, step)
        assert found["AWS_ENDPOINT_URL"] == f"http://{provider['default']['endpoint']}"
        assert found["AWS_DEFAULT_REGION"] == provider["default"]["region"]


def test_the_form_shows_what_belongs_to_the_cluster_and_overrides_win(tmp_path):
    options = ["--params", SETS[0], "--settings", GKE]
    plain, _ = compiled(tmp_path / "plain.yaml", *options)
    other, _ = compiled(
        tmp_path / "other.yaml", *options, "--set", "deploy_registry=gs://mine/models"
    )
    shown = [each["root"]["inputDefinitions"]["parameters"] for each in (plain, other)]
    assert shown[0]["deploy_registry"]["defaultValue"] == "gs://my-bucket/models"
    assert shown[1]["deploy_registry"]["defaultValue"] == "gs://mine/models"


def test_an_empty_file_of_settings_changes_nothing(tmp_path):
    assert read_settings(written(tmp_path, "{}")) == PLAIN


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("gpus: null", "gpu"),
        ("gpu: 1", "gpu"),
        ("gpu: {resources: nvidia.com/gpu}", "resource"),
        ("gpu: {resource: ''}", "gpu.resource"),
        ("gpu: {node_selector: {spot: true}}", "spot: True"),
        ("gpu: {node_selector: {1: x}}", "1: x"),
        ("gpu: {tolerations: [{key: 1}]}", "key=1"),
        ("gpu: {tolerations: [{kee: x}]}", "key"),
        ("gpu: {tolerations: [{operator: Like}]}", "operator"),
        ("gpu: {tolerations: [x]}", "tolerations"),
        ("steps: {trian: {cpu: '1'}}", "train"),
        ("steps: {train: {cpu: 1}}", "cpu"),
        ("steps: {train: {cpu: many}}", "cpu"),
        ("steps: {train: {memory: 16 GB}}", "memory"),
        ("steps: {train: {memory: ''}}", "memory"),
        ("steps: {train: {gpus: -1}}", "gpus"),
        ("steps: {train: {hours: 0}}", "hours"),
        ("steps: {train: {retries: 1.5}}", "retries"),
        ("steps: {train: }", "train"),
        ("secrets: {hub: x}", "hub_token"),
        ("secrets: {hub_token: Hub Token}", r"secrets\.hub_token='Hub Token'"),
        ("object_storage: {endpoint: 'store:9000'}", "endpoint"),
        ("object_storage: {region: 1}", "region"),
        ("cache_volume: 3", "cache_volume"),
        ("cache_volume: a_b", "cache_volume"),
        ("parameters: []", "parameters"),
        ("[]", r"given\.yaml"),
        ("{", r"given\.yaml"),
    ],
)
def test_wrong_settings_are_refused_by_name(content, named, tmp_path):
    with pytest.raises(InputError, match=named):
        read_settings(written(tmp_path, content))


ANYTHING = st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | st.text(max_size=5)


def some(**values):
    """A mapping of some of the names, with the right kind of value or anything else."""
    return st.fixed_dictionaries({}, optional={k: v | ANYTHING for k, v in values.items()})


TOLERATION = some(key=st.just("gpu"), operator=st.just("Exists"), effect=st.just("NoExecute"))
GPU = some(
    node_selector=st.dictionaries(ANYTHING, ANYTHING, max_size=2),
    tolerations=st.lists(TOLERATION, max_size=2),
    spot=st.just("spot"),
)
STEP = some(cpu=st.just("2"), memory=st.just("1Gi"), shared_memory=st.just(""), retries=st.just(1))


@given(
    some(
        gpu=GPU,
        steps=some(train=STEP, merge=STEP),
        secrets=some(llm_key=st.just("llm"), object_storage=st.just("keys")),
        object_storage=some(endpoint=st.just("http://store:9000"), region=st.just("here")),
        cache_volume=st.just("volume"),
    )
)
@settings(max_examples=40)
def test_any_settings_are_refused_or_compile(tmp_path_factory, content):
    path = written(tmp_path_factory.getbasetemp(), content)
    try:
        chosen = read_settings(path)
    except InputError:
        return
    emotion_for(chosen)


def test_a_cluster_may_not_set_unknown_parameters(tmp_path):
    path = written(tmp_path, "parameters: {deploy_regsitry: x}")
    with pytest.raises(SystemExit, match="deploy_registry"):
        compiled(tmp_path / "out.yaml", "--settings", path)


@pytest.mark.parametrize("retries", range(5))
def test_the_window_of_retries_is_longer_than_all_tries(retries):
    needs = Resources(cpu="1", memory="1Gi", hours=3, retries=retries)
    pauses = sum(60 * 2**n for n in range(retries))
    assert needs.retry_window_seconds > (retries + 1) * needs.seconds + pauses


@pytest.mark.parametrize("name", ["gke", "kind"])
def test_each_step_fits_the_quota_of_its_cluster(name):
    chosen = read_settings(OVERLAYS / name / "compile-settings.yaml")
    (quota,) = of_kind(overlay(name), "ResourceQuota")
    hard = quota["spec"]["hard"]
    for needs in chosen.resources.values():
        assert int(needs.cpu) <= int(hard["requests.cpu"])
        assert gibibytes(needs.memory) <= gibibytes(hard["requests.memory"])
    gpus = [needs.gpus for needs in chosen.resources.values() if chosen.gpu]
    assert max(gpus, default=0) <= int(hard["requests.nvidia.com/gpu"])


def gibibytes(quantity):
    return int(quantity.removesuffix("Gi"))
