"""`make run`: the pipeline on this machine, under kfp.local, with real steps."""

import itertools
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from components.artifacts.model import bundle
from tests.fakes.openai_server import Reply, fake_openai
from tests.tiny_encoder import write_tiny_encoder

ROOT = Path(__file__).parents[2]


def run(runs, *overrides):
    """The command behind `make run` with the smoke set; returns the ended process."""
    command = [sys.executable, "-m", "pipelines.local", "--runs", str(runs)]
    command += ["--params", "pipelines/params/smoke.yaml", "--set", " ".join(overrides)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
    )


@pytest.fixture(scope="module")
def fake_llm():
    """Settings for two models of a server that gives a new sentence to each request."""
    number = itertools.count()
    reply = lambda _: Reply(f'["What a day, number {next(number)} of them."]')  # noqa: E731
    with fake_openai(reply, models=("small", "large")) as fake:
        models = f"generate_models=[{fake.base_url}#small,{fake.base_url}#large]"
        options = "generate_options.near_duplicate_similarity=1.0"
        yield f"{models} generate_samples_per_label=2 {options}"


def only_run(runs):
    (folder,) = (each for each in runs.iterdir() if not each.is_symlink())
    return folder


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    ended = run(runs)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    return ended, runs / "latest"


def test_latest_is_the_run(smoke):
    _, latest = smoke
    assert latest.resolve() == only_run(latest.parent)


def test_the_accepted_lines_of_the_ledger_are_the_synthetic_rows(smoke):
    _, latest = smoke
    rows = json.loads((latest / "synthetic_emotions.json").read_text())
    assert len(rows) == 6
    ledger = [json.loads(line) for line in (latest / "ledger.jsonl").read_text().splitlines()]
    accepted = [
        (line["text"], line["label"]) for line in ledger if line.get("verdict") == "accepted"
    ]
    assert accepted == [(row["text"], row["label"]) for row in rows]


def test_the_metrics_count_the_rows_and_time_the_steps(smoke):
    _, latest = smoke
    metrics = json.loads((latest / "metrics.json").read_text())
    steps = ["preflight", "generate", "merge", "train", "evaluate", "deploy", "outcome"]
    assert list(metrics["seconds"]) == steps
    # What the LLM wrote may be in the data set already; other machines' sums give other sentences.
    removed = json.loads((latest / "dataset" / "dataset.json").read_text())["removed"]
    left_out = sum(rows for why, rows in removed.items() if why.startswith("synthetic_"))
    assert metrics["rows"]["train"] == {"real": 240, "synthetic": 6 - left_out}
    assert set(metrics["per_label"]) == set(metrics["labels"])
    total = sum(map(sum, metrics["confusion_matrix"]))
    right = sum(row[label] for label, row in enumerate(metrics["confusion_matrix"]))
    assert right / total == pytest.approx(metrics["accuracy"])


def test_the_model_verifies_and_the_manifest_names_it(smoke):
    _, latest = smoke
    manifest = bundle.verify(latest / "emotion_lora_model")
    service = yaml.safe_load((latest / "inference_service.yaml").read_text())
    annotations = service["metadata"]["annotations"]
    assert annotations["emotion-pipeline/model-sha256"] == manifest.sha256


def test_the_run_ends_with_a_table_and_shows_progress(smoke):
    ended, latest = smoke
    assert "TF-IDF, test" in ended.stdout
    assert str(latest.resolve()) in ended.stdout
    assert "generate: 6/6" in ended.stdout
    assert "train: epoch 1/1" in ended.stdout
    for page in ("report.html", "data_report.html"):
        assert "<!doctype html>" in (latest / page).read_text()
    assert (latest / "dataset" / "test.parquet").is_file()


def outcome_of(folder):
    return json.loads((folder / "outcome.json").read_text())


def test_the_outcome_is_recorded(smoke):
    _, latest = smoke
    assert outcome_of(latest)["state"] == "SUCCEEDED"


@pytest.fixture(scope="module")
def tiny_encoder(tmp_path_factory):
    """Parameters for an encoder that trains in a second."""
    folder = write_tiny_encoder(tmp_path_factory.mktemp("encoder"))
    encoder = f"train_base_model={folder} train_base_model_revision='' train_max_length=32"
    return f"{encoder} train_options.min_int8_agreement=0"


@pytest.fixture(scope="module")
def refused(fake_llm, tiny_encoder, tmp_path_factory):
    """A run with two LLMs in two shards each and an ablation, whose model fails the gate."""
    runs = tmp_path_factory.mktemp("refused")
    gate = runs.with_name("strict.yaml")
    gate.write_text("min_accuracy: 1\n")
    ended = run(
        runs,
        fake_llm,
        tiny_encoder,
        f"evaluate_gate={gate}",
        "generate_samples_per_label=4",
        "generate_shards=2",
        "train_ablation=true",
        f"deploy_registry={runs}/registry",
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended, runs / "latest"


def test_a_model_that_fails_the_gate_is_not_deployed(refused):
    ended, latest = refused
    assert "nothing was deployed" in ended.stdout
    metrics = json.loads((latest / "metrics.json").read_text())
    assert not metrics["gate"]["passed"]
    assert "deploy" not in metrics["seconds"]
    assert not (latest / "inference_service.yaml").exists()
    (kept,) = (each for each in (latest.parent / "registry").rglob("*") if each.is_file())
    assert kept.parent.name == "runs"
    assert json.loads(kept.read_text()) == outcome_of(latest)
    assert "Failed" in (latest / "report.html").read_text()


def test_the_ablation_says_what_the_synthetic_rows_are_worth(refused):
    ended, latest = refused
    metrics = json.loads((latest / "metrics.json").read_text())
    assert metrics["real_only"]["rows"] == metrics["validation"]["rows"] or metrics["real_only"]
    (sentence,) = (
        each["sentence"] for each in metrics["comparisons"] if "ynthetic" in each["sentence"]
    )
    assert sentence in ended.stdout
    assert sentence in (latest / "report.html").read_text()


def test_two_models_contribute_and_are_compared(refused):
    _, latest = refused
    rows = json.loads((latest / "synthetic_emotions.json").read_text())
    assert set(Counter((row["model"], row["label"]) for row in rows).values()) == {2}
    assert len({(row["model"], row["label"]) for row in rows}) == 12
    page = (latest / "data_report.html").read_text()
    assert "#small" in page
    assert "#large" in page


def test_a_failing_step_is_named_with_reason_and_log_and_the_rest_is_kept(fake_llm, tmp_path):
    ended = run(tmp_path, fake_llm, f"train_base_model_revision=sha256:{'0' * 64}")
    assert ended.returncode == 1
    folder = only_run(tmp_path)
    last = ended.stderr.strip().splitlines()[-1]
    assert "step train" in last
    assert "is pinned" in last
    assert str(folder / "logs" / "train.log") in last
    assert "is pinned" in (folder / "logs" / "train.log").read_text()
    assert outcome_of(folder)["state"] == "FAILED"
    assert (folder / "synthetic_emotions.json").is_file()
    assert (folder / "dataset" / "train.parquet").is_file()
    assert not (folder / "emotion_lora_model").exists()
    assert not (tmp_path / "latest").exists()


def test_preflight_ends_a_run_that_could_not_end_well(tmp_path):
    ended = run(tmp_path, "merge_dataset=no/such/rows.csv", "train_base_model=no/such/model")
    assert ended.returncode == 1
    folder = only_run(tmp_path)
    assert "step preflight: failed" in ended.stderr
    for problem in ("(1) no/such/rows.csv: there is no such file", "(2) base_model no/such/model"):
        assert problem in ended.stderr
    assert "preflight: 1. no/such/rows.csv" in ended.stdout
    assert {each.name for each in (folder / "logs").glob("*.log")} == {
        "pipeline.log",
        "preflight.log",
        "outcome.log",
    }
    assert outcome_of(folder)["state"] == "FAILED"


def test_a_bad_parameter_ends_the_run_before_it_starts(tmp_path):
    ended = run(tmp_path, "train_epohcs=3")
    assert ended.returncode == 1
    assert "epochs" in ended.stderr
    assert not list(tmp_path.iterdir())
