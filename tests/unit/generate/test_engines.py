"""What an entry of the `models` setting may be."""

import os

import pytest

from components.errors import InputError, WorkError
from components.generate.engines import (
    ONE_GPU,
    GpuGrid,
    LlmEndpoint,
    Model,
    parse_model,
    serving,
)

PIN = "0123456789abcdef" * 4
COMMIT = "0123456789" * 4


@pytest.mark.parametrize(
    ("reference", "model"),
    [
        ("https://host/v1#gpt", Model("endpoint", "https://host/v1", "gpt")),
        ("http://10.0.0.1:8000/v1/#a/b", Model("endpoint", "http://10.0.0.1:8000/v1", "a/b")),
        ("models/small.gguf", Model("llama.cpp", "models/small.gguf")),
        ("gs://bucket/small.gguf", Model("llama.cpp", "gs://bucket/small.gguf")),
        (f"package:p/s.gguf@sha256:{PIN}", Model("llama.cpp", "package:p/s.gguf", PIN)),
        (f"owner/name-1.5@{COMMIT}", Model("vllm", "owner/name-1.5", COMMIT)),
        ("vllm:models/small", Model("vllm", "models/small")),
        ("vllm:gs://bucket/small", Model("vllm", "gs://bucket/small")),
        ("vllm:models/small.gguf", Model("vllm", "models/small.gguf")),
        ("recorded:gs://bucket/ledger.jsonl", Model("recorded", "gs://bucket/ledger.jsonl")),
    ],
)
def test_servers_files_folders_and_pinned_hub_models_are_understood(reference, model):
    assert parse_model(reference) == model


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "gpt",
        "https://host/v1",
        "https://host/v1#",
        "ftp://host/v1#gpt",
        "model.safetensors",
        "vllm:",
        "recorded:",
        "models/small",
        "small.gguf@sha256:",
        "small.gguf@sha256:abc",
        f"small.gguf@md5:{PIN}",
        "owner/name",
        "owner/name@main",
        f"owner/name@{COMMIT[:-1]}",
        f"name@{COMMIT}",
    ],
)
def test_everything_else_is_refused_with_the_rule_and_the_fix(reference):
    with pytest.raises(InputError) as refusal:
        parse_model(reference)
    assert refusal.value.thing == f"models: {reference!r}"
    assert "neither a server" in refusal.value.rule
    assert "owner/name@" in refusal.value.fix


def test_a_changed_folder_is_refused_before_vllm_is_started(tmp_path):
    (tmp_path / "weights").write_text("changed")
    reference = f"vllm:{tmp_path}@sha256:{'0' * 64}"
    with (
        pytest.raises(InputError, match="is pinned"),
        serving(parse_model(reference), 1, tmp_path / "llm"),
    ):
        pass


@pytest.mark.parametrize(
    ("gpus", "sizes"),
    [
        (ONE_GPU, ""),
        (GpuGrid(4, 2), "--tensor-parallel-size 4 --pipeline-parallel-size 2"),
    ],
)
def test_vllm_is_told_how_many_gpus_it_spreads_over(gpus, sizes, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "vllm"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/told; exit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    model = parse_model(f"vllm:{tmp_path}")
    with pytest.raises(WorkError), serving(model, 1, tmp_path / "llm", gpus=gpus):
        pass
    told = (tmp_path / "told").read_text()
    assert sizes in told
    assert told.count("parallel-size") == 2 * bool(sizes)


def test_a_missing_folder_is_named_before_vllm_is_started(tmp_path):
    missing = str(tmp_path / "missing")
    with (
        pytest.raises(InputError, match="there is no such file or folder"),
        serving(parse_model(f"vllm:{missing}"), 1, tmp_path / "llm"),
    ):
        pass


def test_a_server_that_runs_already_is_used_as_it_is(tmp_path):
    with serving(Model("endpoint", "http://host/v1", "gpt"), 1, tmp_path / "llm") as endpoint:
        assert endpoint == LlmEndpoint("http://host/v1", "gpt")
    assert not (tmp_path / "llm").exists()


@pytest.mark.parametrize("url", ["http://host:port/v1", "http://host:99999/v1", "https://a..b/v1"])
def test_a_server_that_there_cannot_be_is_refused(url):
    with pytest.raises(InputError, match=f"models='{url}': is not the URL of an HTTP server"):
        parse_model(f"{url}#gpt")
