"""Several branches of one LLM write what one branch would write, and pay for nothing twice."""

import json
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.synthetic import LEDGER, SENTENCES
from components.artifacts.task import load_task
from components.errors import InputError, WorkError
from components.generate.run import generate
from components.generate.settings import GenerateSettings
from components.merge.ledgers import read_ledgers
from tests.fakes.openai_server import Reply, fake_openai

NAMES = load_task("emotion").names
LOOSE = {"near_duplicate_similarity": 1.0, "language": ""}
SHARDS = 3


def sentence(body):
    dice = random.Random(f"{body['seed']} {body['messages'][-1]['content']}")  # noqa: S311
    words = ["our", "old", "small", "dog", "cat", "sun", "rain", "boat", "river", "home"]
    return Reply(json.dumps([" ".join(dice.sample(words, 8))]))


def settings_of(shard, models, **others):
    return GenerateSettings(models=models, shard=shard, shards=SHARDS, **LOOSE, **others)


def lines_of(folder, kind):
    lines = (folder / LEDGER).read_text("utf-8").splitlines()
    return [line for line in map(json.loads, lines) if line["kind"] == kind]


def rows_of(folder):
    return json.loads((folder / SENTENCES).read_text("utf-8"))


@given(
    st.integers(1, 200),
    st.lists(st.sampled_from(["a.gguf", "b.gguf", "c.gguf"]), min_size=1, unique=True),
    st.integers(1, 9),
)
def test_all_branches_together_have_the_quota(wanted, models, shards):
    if wanted < len(models) * shards:
        with pytest.raises(InputError, match="samples_per_label"):
            GenerateSettings(
                models=models, model=models[0], samples_per_label=wanted, shards=shards
            )
        return
    quotas = [
        GenerateSettings(
            models=models, model=model, samples_per_label=wanted, shards=shards, shard=shard
        ).quota
        for model in models
        for shard in range(shards)
    ]
    assert sum(quotas) == wanted
    assert max(quotas) - min(quotas) <= 2


def test_shards_send_together_the_requests_of_one_branch(tmp_path):
    bounds = {"samples_per_label": 12, "request_budget": 12}
    with fake_openai(sentence) as fake:
        models = [f"{fake.base_url}#small"]
        generate(GenerateSettings(models=models, **bounds, **LOOSE), tmp_path / "whole")
        for shard in range(SHARDS):
            counts = generate(settings_of(shard, models, **bounds), tmp_path / f"{shard}")
            assert counts == dict.fromkeys(NAMES, 4)
    parts = [lines_of(tmp_path / f"{shard}", "answer") for shard in range(SHARDS)]
    together = Counter(line["fingerprint"] for part in parts for line in part)
    whole = lines_of(tmp_path / "whole", "answer")
    assert together == Counter(line["fingerprint"] for line in whole)
    assert {line["turn"] % SHARDS for line in parts[1]} == {1}


def test_when_a_shard_fails_the_others_are_not_paid_again(tmp_path):
    is_broken = True

    def breaks_off(body):
        if is_broken and body["seed"] == 4:
            return Reply("the GPU is gone", status=401)
        return sentence(body)

    with fake_openai(breaks_off) as fake:
        models = [f"{fake.base_url}#small"]

        def run(shard, folder):
            settings = settings_of(
                shard,
                models,
                samples_per_label=6,
                request_budget=6,
                ledger=str(tmp_path / "archive"),
            )
            return generate(settings, tmp_path / folder / f"{shard}")

        run(0, "first")
        run(2, "first")
        with pytest.raises(WorkError):
            run(1, "first")
        is_broken = False
        paid = len(fake.received)
        for shard in range(SHARDS):
            assert run(shard, "second") == dict.fromkeys(NAMES, 2)
        # Shard 1 asks again what had no answer.
        assert 0 < len(fake.received) - paid <= 2 * len(NAMES)
        assert {body["seed"] % SHARDS for body in fake.received[paid:]} == {1}
    ledgers = [tmp_path / "second" / f"{shard}" / LEDGER for shard in range(SHARDS)]
    (found,) = read_ledgers(ledgers).models
    # What another shard has paid for is not in this one's ledger as well.
    assert found.answers == found.accepted == 6 * len(NAMES)


def test_a_recording_is_replayed_in_shards(tmp_path):
    with fake_openai(sentence) as fake:
        bounds = {"samples_per_label": 6, "request_budget": 6}
        settings = GenerateSettings(models=[f"{fake.base_url}#small"], **bounds, **LOOSE)
        generate(settings, tmp_path / "asked")
    recorded = [f"recorded:{tmp_path / 'asked'}"]
    for shard in range(SHARDS):
        generate(settings_of(shard, recorded, samples_per_label=6), tmp_path / f"{shard}")
    texts = [row["text"] for n in range(SHARDS) for row in rows_of(tmp_path / f"{n}")]
    assert sorted(texts) == sorted(row["text"] for row in rows_of(tmp_path / "asked"))


def test_the_bounds_of_requests_and_tokens_are_those_of_all_shards(tmp_path):
    with fake_openai(sentence) as fake:
        models = [f"{fake.base_url}#small"]
        for shard in range(SHARDS):
            generate(
                settings_of(
                    shard, models, samples_per_label=99, request_budget=7, allow_partial=True
                ),
                tmp_path / f"{shard}",
            )
        assert len(fake.received) == 7 * len(NAMES)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"shards": 0}, "shards=0"),
        ({"shards": 65}, "shards=65"),
        ({"shards": 2, "shard": 2}, "shard=2"),
        ({"shards": 4, "request_budget": 3}, "request_budget=3"),
        ({"shards": 4, "samples_per_label": 3}, "samples_per_label=3"),
        ({"shards": 4, "request_budget": 8, "rounds": 3}, "rounds=3"),
    ],
)
def test_shards_that_cannot_be_are_refused(wrong, named):
    with pytest.raises(InputError, match=named):
        GenerateSettings(models=["a.gguf"], **wrong)
