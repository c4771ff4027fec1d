"""Candidates get a second opinion: from the LLM that wrote them, or from another one."""

import asyncio
import json
import math
import time
from collections import Counter

import pytest

from components.artifacts.synthetic import LEDGER, SENTENCES
from components.artifacts.task import load_task
from components.errors import InputError, WorkError
from components.generate.engines import parse_model, serving
from components.generate.judge import LabelJudge
from components.generate.llm import ChatClient
from components.generate.run import generate, train_examples
from components.generate.settings import GenerateSettings
from components.merge.settings import MergeSettings
from tests.fakes.openai_server import Reply, fake_openai
from tests.steps.generate.test_run import REAL_MODEL

TASK = load_task("emotion")
LOOSE = {"near_duplicate_similarity": 1.0, "language": "", "samples_per_label": 2}
REAL_TEXTS = train_examples(MergeSettings())
REAL = {
    json.dumps(text, ensure_ascii=False): name
    for name, texts in REAL_TEXTS.items()
    for text in texts
}


def is_question(body):
    return "Answer with the letter." in body["messages"][-1]["content"]


def two_sentences(body):
    asked = body["messages"][-1]["content"]
    name = next(each for each in TASK.names if each in asked)
    return Reply(json.dumps([f"{name} in answer {body['seed']}, sentence {n}" for n in range(2)]))


def seen_as(body, name):
    """A reply that is nearly sure of a label, with probabilities if they are asked for."""
    lines = body["messages"][-1]["content"].splitlines()
    letter = next(line[0] for line in lines if line[1:].startswith(f") {name}:"))
    likeliest = [
        {"token": letter, "logprob": math.log(0.9), "bytes": None},
        {"token": "\n", "logprob": math.log(0.1), "bytes": None},
    ]

    def told(completion):
        first = {**likeliest[0], "top_logprobs": likeliest}
        completion["choices"][0]["logprobs"] = {"content": [first], "refusal": None}

    return Reply(letter, change=told if body.get("logprobs") else None)


def label_of(body):
    """The right label of a text that is asked about."""
    text = body["messages"][-1]["content"].split("\n\n")[1]
    return REAL.get(text) or json.loads(text).split()[0]


def writer_and_judge(body):
    return seen_as(body, label_of(body)) if is_question(body) else two_sentences(body)


def lines_of(folder, kind):
    lines = map(json.loads, (folder / LEDGER).read_text("utf-8").splitlines())
    return [line for line in lines if line["kind"] == kind]


def rows_of(folder):
    return json.loads((folder / SENTENCES).read_text("utf-8"))


def run(fake, folder, **settings):
    chosen = {"models": [f"{fake.base_url}#small"], "judge": "same", **LOOSE, **settings}
    return generate(GenerateSettings(**chosen), folder, data=MergeSettings())


def test_sentences_carry_what_the_judge_sees_in_them(tmp_path):
    with fake_openai(writer_and_judge) as fake:
        assert run(fake, tmp_path) == dict.fromkeys(TASK.names, 2)
    for row in rows_of(tmp_path):
        assert row["label_probabilities"] == {**dict.fromkeys(TASK.names, 0), row["label"]: 1}
    (judge,) = lines_of(tmp_path, "judge")
    assert (judge["rows"], judge["right"], judge["heard"]) == (120, 120, True)


def test_what_the_judge_sees_otherwise_is_rejected_and_asked_for_again(tmp_path):
    def script(body):
        text = body["messages"][-1]["content"]
        if is_question(body) and "sadness in answer 0, sentence 1" in text:
            return seen_as(body, "anger")
        return writer_and_judge(body)

    with fake_openai(script) as fake:
        assert run(fake, tmp_path) == dict.fromkeys(TASK.names, 2)
    rejected = [line for line in lines_of(tmp_path, "candidate") if line["verdict"] == "rejected"]
    assert [line["text"] for line in rejected if line["reason"] == "judged otherwise"] == [
        "sadness in answer 0, sentence 1"
    ]


def test_what_a_classifier_knows_nothing_of_is_not_doubted(tmp_path):
    task = tmp_path / "task.yaml"
    labels = "".join(
        f"  - {{name: {name}, description: about {name}}}\n" for name in ("sun", "snow")
    )
    labels += "  - {name: rain, description: about rain}\n"
    task.write_text(f"name: weather\ndescription: the weather\nlabels:\n{labels}")
    real = [("it is dry and bright", "sun"), ("it is wet and dark", "rain")]
    rows = [f"{text} today {number},{label}" for number in range(20) for text, label in real]
    (tmp_path / "rows.csv").write_text("\n".join(["text,label", *rows]))

    def script(body):
        asked = body["messages"][-1]["content"]
        name = next(each for each in ("sun", "snow", "rain") if each in asked)
        said = {"sun": "how dry and bright", "snow": "all is white", "rain": "how wet and dark"}
        return Reply(json.dumps([f"{said[name]} again {body['seed']}"]))

    with fake_openai(script) as fake:
        settings = GenerateSettings(
            task=str(task), models=[f"{fake.base_url}#small"], judge="words", **LOOSE
        )
        data = MergeSettings(task=str(task), dataset=str(tmp_path / "rows.csv"))
        counts = generate(settings, tmp_path / "out", data=data)
    assert counts == {"sun": 2, "snow": 2, "rain": 2}
    judged = {row["label"] for row in rows_of(tmp_path / "out") if "label_probabilities" in row}
    assert judged == {"sun", "rain"}


def test_a_judge_that_is_often_wrong_on_real_rows_is_not_heard(tmp_path):
    def script(body):
        return seen_as(body, "anger") if is_question(body) else two_sentences(body)

    with fake_openai(script) as fake:
        assert run(fake, tmp_path) == dict.fromkeys(TASK.names, 2)
        asked = sum(map(is_question, fake.received))
    assert asked == 120
    (judge,) = lines_of(tmp_path, "judge")
    assert (judge["right"], judge["heard"]) == (20, False)
    assert not any("label_probabilities" in row for row in rows_of(tmp_path))


@pytest.mark.parametrize(
    ("status", "words"),
    [(403, "You are not allowed to request logprobs"), (400, "Extra inputs are not permitted")],
)
def test_a_server_that_refuses_probabilities_in_its_own_way_is_asked_without(
    status, words, tmp_path
):
    def script(body):
        return Reply(words, status=status) if "logprobs" in body else writer_and_judge(body)

    with fake_openai(script) as fake:
        settings = {"judge_votes": 1, "samples_per_label": 1, "llm_concurrency": 1}
        assert run(fake, tmp_path, **settings) == dict.fromkeys(TASK.names, 1)


def test_a_server_that_takes_no_schema_and_does_not_say_so_may_judge_itself(tmp_path):
    def script(body):
        refused = Reply("bad request", status=400)
        return refused if "response_format" in body else writer_and_judge(body)

    with fake_openai(script) as fake:
        assert run(fake, tmp_path, samples_per_label=1) == dict.fromkeys(TASK.names, 1)


def test_a_judge_without_probabilities_votes_and_is_asked_another_way_only_once(tmp_path):
    def script(body):
        if "logprobs" in body:
            return Reply("logprobs is not supported", status=400)
        return writer_and_judge(body)

    with fake_openai(script) as fake:
        settings = {"judge_votes": 3, "samples_per_label": 1, "llm_concurrency": 1}
        assert run(fake, tmp_path, **settings) == dict.fromkeys(TASK.names, 1)
    assert sum("logprobs" in body for body in fake.received) == 1
    assert all(row["label_probabilities"][row["label"]] == 1 for row in rows_of(tmp_path))


def test_a_resumed_run_asks_for_no_opinion_twice(tmp_path):
    with fake_openai(writer_and_judge) as fake:
        run(fake, tmp_path / "one", ledger=str(tmp_path / "archive"))
        asked = Counter(map(is_question, fake.received))
        run(fake, tmp_path / "one")
        run(fake, tmp_path / "two", ledger=str(tmp_path / "archive"))
        assert Counter(map(is_question, fake.received)) == asked
    assert rows_of(tmp_path / "one") == rows_of(tmp_path / "two")


def test_another_llm_judges_a_recording(tmp_path):
    with fake_openai(writer_and_judge, api_key="secret") as writer:
        settings = GenerateSettings(models=[f"{writer.base_url}#small"], **LOOSE)
        generate(settings, tmp_path / "asked", api_key="secret")
    with fake_openai(writer_and_judge, api_key="secret") as judge:
        model, named = f"recorded:{tmp_path / 'asked'}", f"{judge.base_url}#big"
        settings = GenerateSettings(models=[model], judge=named, **LOOSE)
        generate(settings, tmp_path / "judged", api_key="secret", data=MergeSettings())
    assert {line["judge"] for line in lines_of(tmp_path / "judged", "opinion")} == {named}
    assert all(row["label_probabilities"] for row in rows_of(tmp_path / "judged"))


def test_a_judge_is_not_told_the_key_of_the_writer_s_server(tmp_path):
    with (
        fake_openai(writer_and_judge, api_key="secret") as writer,
        fake_openai(writer_and_judge) as judge,
    ):
        settings = GenerateSettings(
            models=[f"{writer.base_url}#small"], judge=f"{judge.base_url}#big", **LOOSE
        )
        generate(settings, tmp_path / "both", api_key="secret", data=MergeSettings())
    assert set(judge.keys) == {"Bearer none"}


def test_a_classifier_of_labelled_texts_judges_without_a_server(tmp_path):
    def script(body):
        assert not is_question(body)
        asked = body["messages"][-1]["content"]
        name = next(each for each in TASK.names if each in asked)
        number = 100 * TASK.names.index(name) + body["seed"]
        wrong = f"i feel so sad and lonely, i miss her and cry, number {number}"
        return Reply(json.dumps([wrong, f"{REAL_TEXTS[name][body['seed']]} It was so"]))

    with fake_openai(script) as fake:
        run(fake, tmp_path, judge="words", samples_per_label=1)
    rejected = lines_of(tmp_path, "candidate")
    assert {line["label"] for line in rejected if line["reason"] == "judged otherwise"} >= {
        "joy",
        "anger",
    }
    (judge,) = lines_of(tmp_path, "judge")
    assert (judge["judge"], judge["heard"]) == ("words", True)
    assert lines_of(tmp_path, "opinion") == []
    assert all(row["label_probabilities"][row["label"]] >= 0.13 for row in rows_of(tmp_path))


@pytest.mark.parametrize(
    ("models", "judge", "words"),
    [
        (["recorded:ledger.jsonl"], "same", "is a recording, which judges nothing"),
        (["a.gguf"], "b.gguf", "would be started beside"),
        (["a.gguf"], "somebody", "models: 'somebody'"),
    ],
)
def test_a_judge_that_cannot_be_asked_is_refused(models, judge, words):
    with pytest.raises(InputError, match=words):
        GenerateSettings(models=models, judge=judge)


def test_too_many_labels_for_an_llm_to_judge_are_refused_before_anything_is_asked(tmp_path):
    task = tmp_path / "task.yaml"
    labels = "".join(f"  - {{name: label{n}, description: about {n}}}\n" for n in range(27))
    task.write_text(f"name: many\ndescription: what it is about\nlabels:\n{labels}")
    many = pytest.raises(InputError, match="can tell 26 labels apart, and the task has 27")
    with fake_openai(writer_and_judge) as fake, many:
        run(fake, tmp_path / "out", task=str(task))
    assert fake.received == []
    assert not (tmp_path / "out").exists()


def test_the_judge_s_tokens_count_against_the_budget(tmp_path):
    with fake_openai(writer_and_judge) as fake:
        settings = {"token_budget": 30, "samples_per_label": 50, "allow_partial": True}
        counts = run(fake, tmp_path, **settings)
    # An answer and its two opinions cost 12 tokens each.
    assert sum(counts.values()) == 2


def test_a_judge_that_is_busy_for_long_ends_with_the_minutes_too(tmp_path):
    def script(body):
        return Reply("loading", status=503) if is_question(body) else two_sentences(body)

    over = pytest.raises(WorkError, match=r"the 0\.02 minutes are over")
    began = time.monotonic()
    with fake_openai(script) as fake, over:
        run(fake, tmp_path, minutes_budget=0.02)
    assert time.monotonic() - began < 30


@pytest.mark.slow
def test_llama_cpp_tells_the_probabilities_of_the_letters(tmp_path):
    async def opinions(endpoint):
        async with ChatClient(endpoint, "", 2) as client:
            judge = LabelJudge(TASK, REAL_MODEL, client.ask, votes=1, seed=0)
            return [await judge.opinion(text) for text in ("I miss her so.", "What a party!")]

    with serving(parse_model(REAL_MODEL), 2, tmp_path) as endpoint:
        found = asyncio.run(opinions(endpoint))
    for opinion in found:
        assert set(opinion.probabilities) == set(TASK.names)
        assert sum(opinion.probabilities.values()) == pytest.approx(1, abs=0.001)
        # A vote would be all for one label.
        assert 0 < max(opinion.probabilities.values()) < 1
        assert opinion.prompt_tokens > 50
