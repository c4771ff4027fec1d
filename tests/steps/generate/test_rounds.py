"""The closed loop: rounds that ask for what is not known yet, and a choice from a surplus."""

import json
import math
import random
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from components.artifacts.evaluation import read_evaluation
from components.artifacts.evaluation.scores import Interval, Slice
from components.artifacts.registry import Champion, keep_evaluation, replace_champion
from components.artifacts.synthetic import LEDGER, SENTENCES
from components.artifacts.task import load_task
from components.errors import InputError, WorkError
from components.evaluate.measure.intervals import intervals
from components.evaluate.measure.scores import score
from components.generate.classifier_judge import drawn
from components.generate.run import generate, train_examples
from components.generate.settings import GenerateSettings
from components.generate.study import Study
from components.merge.ledgers import read_ledgers
from components.merge.settings import MergeSettings
from tests.evaluations import EVALUATION
from tests.fakes.openai_server import Reply, fake_openai
from tests.steps.generate.test_run import ledger_of, rows_of, written

TASK = load_task("emotion")
DATA = MergeSettings()
REAL = train_examples(DATA)
LOOSE = {"near_duplicate_similarity": 1.0, "language": "", "form_filter": False}
TAKEN = "are easily taken for"
MANY = {"samples_per_label": 20}


def run(output, fake, data=DATA, **settings):
    settings = {**LOOSE, "samples_per_label": 6, "request_budget": 30, **settings}
    models = {"models": [f"{fake.base_url}#small"], "llm_concurrency": 4}
    return generate(GenerateSettings(**{**models, **settings}), output, data=data)


def asked(fake):
    return [body["messages"][-1]["content"] for body in fake.received]


def shown_in(request):
    """The real texts that a request shows as a contrast."""
    return json.loads(request.split("instructions to you: ")[1].split(". Write texts")[0])


def test_a_second_round_asks_for_what_is_confused(tmp_path):
    with fake_openai(written) as fake:
        assert run(tmp_path, fake, rounds=2, **MANY) == dict.fromkeys(TASK.names, 20)
        requests = asked(fake)
    rows = rows_of(tmp_path)
    by_round = {number: [row for row in rows if row["round"] == number] for number in ("1", "2")}
    # Answers that are under way when a round has what it wants are paid for, and taken.
    assert 60 <= len(by_round["1"]) < 120
    assert len(by_round["1"]) + len(by_round["2"]) == 120
    assert not any("contrast" in row for row in by_round["1"])
    assert all(row["contrast"] in set(TASK.names) - {row["label"]} for row in by_round["2"])
    aimed = [request for request in requests if TAKEN in request]
    assert aimed
    assert TAKEN not in requests[0]
    train = {text for texts in REAL.values() for text in texts}
    assert all(set(shown_in(request)) <= train for request in aimed)


def test_what_each_round_gained_is_in_the_ledger(tmp_path):
    with fake_openai(written) as fake:
        run(tmp_path, fake, rounds=2, **MANY)
    lines = ledger_of(tmp_path, "round")
    assert [line["number"] for line in lines] == [0, 1, 2]
    accepted = [sum(line["accepted"].values()) for line in lines]
    assert (accepted[0], accepted[2]) == (0, 120)
    assert 60 <= accepted[1] < 120
    assert {line["rows"] for line in lines} == {math.ceil(sum(map(len, REAL.values())) / 5)}
    assert all(0 < line["macro_f1"] < 1 and 0 < line["accuracy"] < 1 for line in lines)
    assert all(count > 0 for other in lines[1]["confused"].values() for count in other.values())
    assert len(read_ledgers([tmp_path / LEDGER]).rounds) == 3


def test_a_run_of_rounds_that_is_resumed_asks_nothing_again(tmp_path):
    with fake_openai(written) as fake:
        run(tmp_path, fake, rounds=3)
        once, sentences = len(fake.received), (tmp_path / SENTENCES).read_bytes()
        run(tmp_path, fake, rounds=3)
        assert len(fake.received) == once
    assert (tmp_path / SENTENCES).read_bytes() == sentences


def test_an_easy_round_leaves_its_requests_to_the_next(tmp_path):
    with fake_openai(written) as fake:
        run(tmp_path, fake, rounds=3, samples_per_label=9)
    turns = {line["turn"] for line in ledger_of(tmp_path, "answer")}
    assert turns == set(range(max(turns) + 1))


@pytest.mark.parametrize("wanted", [1, 2])
def test_there_may_be_more_rounds_than_sentences(tmp_path, wanted):
    with fake_openai(written) as fake:
        counts = run(tmp_path, fake, rounds=4, samples_per_label=wanted)
    assert counts == dict.fromkeys(TASK.names, wanted)


def test_a_budget_that_ends_between_rounds_is_the_reason_given(tmp_path):
    with fake_openai(written) as fake, pytest.raises(WorkError) as refusal:
        run(tmp_path, fake, rounds=3, token_budget=1)
    assert "the token budget of 1 is spent" in str(refusal.value)


def test_what_is_learnt_before_the_first_request_takes_no_minutes_of_asking(tmp_path):
    # The judge learns for longer than that.
    with fake_openai(written) as fake:
        run(tmp_path, fake, judge="words", minutes_budget=0.01, allow_partial=True, rounds=2)
        assert fake.received


def test_rounds_share_the_budget_of_requests(tmp_path):
    with fake_openai(lambda _: Reply("No.")) as fake:
        run(
            tmp_path,
            fake,
            rounds=2,
            request_budget=5,
            allow_partial=True,
            models=[f"{fake.base_url}#small", f"{fake.base_url}#large"],
            model=f"{fake.base_url}#small",
        )
        assert len(fake.received) == 5 * len(TASK.names)


def evaluation_of(path, confused):
    """Write an evaluation of the task whose model takes one label for another."""
    truth = np.repeat(np.arange(6), 10)
    seen = truth.copy()
    label, other = (TASK.names.index(name) for name in confused)
    seen[truth == label] = other
    right, wrong = (
        score(truth, 0.7 * np.eye(6)[each] + 0.05, TASK.names) for each in (truth, seen)
    )
    found = intervals(truth, seen, TASK.names, 20, 0)
    evaluation = replace(EVALUATION, task="emotion", labels=TASK.names, test=right)
    # What it gets wrong on validation rows is aimed at, and nothing that the test split shows.
    evaluation = replace(evaluation, validation=wrong)
    short = Slice("Length", "up to 8 words", 20, 0.3, 0.5, Interval(0.3, 0.7), 0.4, 12.5)
    rare = Slice("Wording", "names a label", 3, 0.1, 0.6, Interval(0.1, 1.0), 0.6, 40.0)
    evaluation = replace(evaluation, slices=(rare, short))
    path.write_text(replace(evaluation, intervals=found).to_json())
    return str(path)


def test_the_first_round_aims_at_the_mistakes_of_an_earlier_run(tmp_path):
    focus = evaluation_of(tmp_path / "metrics.json", ("joy", "anger"))
    with fake_openai(written) as fake:
        run(tmp_path / "out", fake, focus=focus, style="varied", samples_per_label=30)
        requests = asked(fake)
    aimed = [request for request in requests if TAKEN in request]
    assert aimed
    assert all('texts of the class "joy"' in request for request in aimed)
    assert all('taken for "anger"' in request for request in aimed)
    assert set(shown_in(aimed[0])) <= set(REAL["joy"])
    # Short texts are what the model of that run is weakest at.
    short = ["Length: up to 8 words." in request for request in requests]
    assert 0.3 < sum(short) / len(short) < 0.7
    named = ["Use a word that names it" in request for request in requests]
    assert 0.3 < sum(named) / len(named) < 0.7


def test_a_registry_stands_for_its_champions_mistakes(tmp_path):
    registry = tmp_path / "models"
    registry.mkdir()
    with fake_openai(written) as fake:
        run(tmp_path / "first", fake, focus=f"registry:{registry}", samples_per_label=2)
        assert not any(TAKEN in request for request in asked(fake))
    evaluation = read_evaluation(evaluation_of(tmp_path / "metrics.json", ("fear", "love")))
    keep_evaluation(str(registry), "run-1", evaluation)
    replace_champion(str(registry), Champion("run-1", "models/run-1", "a" * 64, {}), 0)
    with fake_openai(written) as fake:
        run(tmp_path / "second", fake, focus=f"registry:{registry}", samples_per_label=2)
        assert any('taken for "love"' in request for request in asked(fake))


def test_an_evaluation_of_other_labels_is_refused_before_anything_is_asked(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text(EVALUATION.to_json())
    refusal = pytest.raises(InputError, match="is of the labels red, green, blue")
    with fake_openai(written) as fake, refusal:
        run(tmp_path / "out", fake, focus=str(path))
    assert fake.received == []


def test_rounds_need_real_rows(tmp_path):
    refusal = pytest.raises(InputError, match="need 5 real train rows of each label")
    with fake_openai(written) as fake, refusal:
        run(tmp_path, fake, data=None, rounds=2)


@pytest.mark.parametrize("encoder", [False, True])
def test_the_most_useful_of_a_surplus_are_kept(tmp_path, encoder, encoder_folder):
    dice = random.Random(0)  # noqa: S311

    def many(_):
        words = ["sea", "wind", "tea", "gift", "road", "dog", "night", "friend", "bread"]
        return Reply(json.dumps([" ".join(dice.sample(words, 6)) for _ in range(4)]))

    data = replace(DATA, encoder=str(encoder_folder) if encoder else "")
    with fake_openai(many) as fake:
        counts = run(tmp_path, fake, data, oversample=2.5, samples_per_label=4)
    rows = rows_of(tmp_path)
    assert counts == dict.fromkeys(TASK.names, 4)
    assert len(rows) == 24
    lines = ledger_of(tmp_path, "candidate")
    surplus = [line for line in lines if line["reason"] == "surplus"]
    assert len(surplus) == 6 * (10 - 4)
    assert {line["text"] for line in surplus}.isdisjoint(row["text"] for row in rows)
    (model,) = read_ledgers([tmp_path / LEDGER]).models
    assert sorted(model.texts) == sorted(row["text"] for row in rows)
    assert model.candidates == len(lines) - len(surplus)


def test_real_rows_are_rewritten_and_copies_of_them_refused(tmp_path):
    def rewriting(body):
        request = body["messages"][-1]["content"]
        texts = json.loads(request[request.index("[") :])
        assert set(texts) <= {text for each in REAL.values() for text in each}
        return Reply(json.dumps([texts[0], f"lately {' '.join(reversed(texts[1].split()))} mate"]))

    with fake_openai(rewriting) as fake:
        run(tmp_path, fake, style="rewrite", samples_per_label=2)
        assert all(len(body["messages"]) == 2 for body in fake.received)
    assert all(row["text"].startswith("lately") for row in rows_of(tmp_path))
    reasons = {line["reason"] for line in ledger_of(tmp_path, "candidate")}
    assert reasons >= {"", "duplicate"}


def test_texts_that_are_held_out_are_neither_shown_nor_rewritten(tmp_path):
    shown = set()

    def noting(body):
        request = body["messages"][-1]["content"]
        texts = json.loads(request[request.index("[") :])
        shown.update(texts)
        return Reply(json.dumps([f"lately {' '.join(reversed(text.split()))}" for text in texts]))

    with fake_openai(noting) as fake:
        run(tmp_path, fake, style="rewrite", rounds=2, samples_per_label=150, allow_partial=True)
    study = Study(TASK, drawn(TASK, REAL, 0), {}, 0)
    assert shown
    assert shown <= set(chain(*study.known.values()))
    assert {row.get("contrast") for row in rows_of(tmp_path)} > {None}


def test_examples_and_judge_leave_out_what_is_held_out(tmp_path):
    known = Study(TASK, drawn(TASK, REAL, 0), {}, 0).known
    with fake_openai(written) as fake:
        run(tmp_path, fake, few_shot=5, judge="words", min_label_probability=1e-9, rounds=2)
        shown = [json.loads(body["messages"][2]["content"]) for body in fake.received]
    assert {text for each in shown for text in each} <= set(chain(*known.values()))
    (tried,) = ledger_of(tmp_path, "judge")
    assert tried["rows"] == sum(map(len, known.values()))


def test_a_classifier_that_has_learnt_a_row_does_not_judge_its_rewriting(tmp_path):
    refusal = pytest.raises(InputError, match="has learnt from the rows that the style rewrite")
    with fake_openai(written) as fake, refusal:
        run(tmp_path, fake, style="rewrite", judge="words")


def test_rewriting_needs_real_rows(tmp_path):
    refusal = pytest.raises(InputError, match="rewrites real rows of every label")
    with fake_openai(written) as fake, refusal:
        run(tmp_path, fake, data=None, style="rewrite")


def test_a_judge_of_meaning_needs_an_encoder(tmp_path):
    refusal = pytest.raises(InputError, match="needs a sentence encoder")
    with fake_openai(written) as fake, refusal:
        run(tmp_path, fake, judge="encoder")


def test_a_judge_learns_from_what_was_accepted(tmp_path, encoder_folder):
    """It sees more joy in a word that it has only met in accepted texts."""
    glad = ["I am happy that the zorbling is here", "What a joy, a zorbling came to our party"]
    asked_about = "The zorbling is on the table"

    def answers(body):
        texts = [f"{text} {body['seed']}" for text in glad]
        return Reply(json.dumps([asked_about, *texts]))

    with fake_openai(answers) as fake:
        run(
            tmp_path,
            fake,
            replace(DATA, encoder=str(encoder_folder)),
            judge="encoder",
            rounds=2,
            request_budget=16,
            samples_per_label=30,
            allow_partial=True,
        )
    (tried,) = ledger_of(tmp_path, "judge")
    assert tried["heard"]
    assert tried["right"] > 0.75 * tried["rows"]
    told = [
        line["label_probabilities"]["joy"]
        for line in ledger_of(tmp_path, "candidate")
        if line["text"] == asked_about and line["label"] == "joy"
    ]
    assert told[-1] > told[0] + 0.1


def test_a_run_that_dies_in_its_second_round_goes_on_as_if_it_had_not(tmp_path):
    whole = {"rounds": 2, "samples_per_label": 8}
    with fake_openai(written) as fake:
        run(tmp_path / "whole", fake, **whole)
        answered = {str(body["messages"]) for body in fake.received if TAKEN not in str(body)}
        models = {"models": [f"{fake.base_url}#small"]}

        def dying(body):
            if TAKEN in str(body):
                return Reply("key has expired", status=401)
            return written(body)

        fake.script = dying
        with pytest.raises(WorkError):
            run(tmp_path / "other", fake, **whole, **models)
        fake.script = written
        fake.received.clear()
        run(tmp_path / "other", fake, **whole, **models)
        again = {str(body["messages"]) for body in fake.received}
    one, other = ((tmp_path / each / SENTENCES).read_bytes() for each in ("whole", "other"))
    assert one == other
    assert again.isdisjoint(answered)
