"""The requests that the LLM is asked."""

import json
from dataclasses import replace
from itertools import combinations, product

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.task import load_task
from components.errors import InputError
from components.generate.prompts import Prompts, in_shuffled_rounds
from components.generate.style import load_style

TASK = load_task("emotion")
STYLE = load_style("plain")
TICKETS = """
name: tickets
description: what a customer wants from the support desk
labels:
  - {name: refund, description: wants money back}
  - {name: bug, description: reports that something is broken, examples: [The app shuts down.]}
  - {name: how-to, description: asks how something is done}
"""


@pytest.fixture
def tickets(tmp_path):
    (tmp_path / "tickets.yaml").write_text(TICKETS, encoding="utf-8")
    return load_task(str(tmp_path / "tickets.yaml"))


def attributes_of(prompts, label, turns):
    requests = (prompts.request(label, turn) for turn in turns)
    return [(request.attributes["topic"], request.attributes["form"]) for request in requests]


def contents(request):
    return [message["content"] for message in request.messages]


def test_equal_seeds_build_equal_requests():
    one, other = Prompts(TASK, STYLE, 7), Prompts(load_task("emotion"), load_style("plain"), 7)
    for label, turn in product(TASK.labels, (0, 1, 59, 60)):
        assert one.request(label, turn) == other.request(label, turn)


def test_another_seed_asks_in_another_order_with_other_sampling():
    requests = [Prompts(TASK, STYLE, seed).request(TASK.labels[0], 0) for seed in (7, 8)]
    assert requests[0].seed != requests[1].seed
    label = TASK.labels[0]
    orders = [attributes_of(Prompts(TASK, STYLE, seed), label, range(60)) for seed in (7, 8)]
    assert orders[0] != orders[1]


@pytest.mark.parametrize("style", ["attributed", "varied", "everyday"])
@pytest.mark.parametrize("label", TASK.labels, ids=TASK.names)
def test_values_of_two_attributes_meet_in_nearly_all_pairs(label, style):
    prompts = Prompts(TASK, load_style(style), 0)
    asked = [prompts.request(label, turn).attributes for turn in range(300)]
    for one, other in combinations(asked[0], 2):
        grid = len({each[one] for each in asked}) * len({each[other] for each in asked})
        met = len({(each[one], each[other]) for each in asked})
        assert met >= 0.7 * min(grid, len(asked)), (one, other)


def test_the_sampling_seed_changes_with_the_turn():
    prompts = Prompts(TASK, STYLE, 3)
    assert len({prompts.request(TASK.labels[0], turn).seed for turn in range(50)}) == 50


def test_a_prompt_names_what_it_wants():
    label = TASK.labels[1]
    request = Prompts(TASK, STYLE, 0).request(label, 0)
    system, example, examples, wanted = contents(request)
    assert TASK.description in system
    assert f"Write {len(label.examples)} texts" in example
    assert tuple(json.loads(examples)) == label.examples
    for part in (label.name, label.description, *request.attributes.values()):
        assert part in wanted


def test_the_labels_of_another_task_are_asked_for(tickets):
    prompts = Prompts(tickets, STYLE, 0)
    for label in tickets.labels:
        chat = " ".join(contents(prompts.request(label, 0)))
        assert label.name in chat
        assert label.description in chat
        assert tickets.description in chat
        assert not any(emotion in chat for emotion in TASK.names)


def test_a_task_without_topics_takes_the_general_ones(tickets):
    topics = {
        topic for topic, _ in attributes_of(Prompts(tickets, STYLE, 0), tickets.labels[0], range(9))
    }
    assert topics == set(STYLE.attributes["topic"])


def test_a_label_without_examples_has_no_example_turn(tickets):
    refund, bug, _ = (Prompts(tickets, STYLE, 0).request(each, 0) for each in tickets.labels)
    assert [message["role"] for message in refund.messages] == ["system", "user"]
    assert [message["role"] for message in bug.messages] == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize(("count", "is_valid"), [(0, False), (2, False), (3, True), (4, False)])
def test_the_schema_bounds_the_number_of_texts(count, is_valid):
    schema = replace(STYLE, texts_per_request=3).schema
    answer = ["what a lovely day it is"] * count
    assert jsonschema.Draft202012Validator(schema).is_valid(answer) == is_valid


@pytest.mark.parametrize(("length", "is_valid"), [(5, False), (80, True), (81, False)])
def test_the_schema_bounds_the_length_of_a_text(length, is_valid):
    schema = replace(STYLE, texts_per_request=1, max_characters=80).schema
    assert jsonschema.Draft202012Validator(schema).is_valid(["a" * length]) == is_valid


@given(st.integers(1, 20), st.integers(0, 1000), st.text(max_size=5))
def test_every_value_comes_up_once_a_round(size, number, key):
    values = [str(place) for place in range(size)]
    turns = range(number * size, (number + 1) * size)
    assert sorted(in_shuffled_rounds(values, turn, key) for turn in turns) == sorted(values)


@pytest.mark.parametrize("name", ["plain", "attributed", "longer", "complex", "varied", "everyday"])
def test_every_shipped_style_fills_in_for_every_label_and_task(name, tickets):
    for task in (TASK, tickets):
        prompts = Prompts(task, load_style(name), 0)
        for label in task.labels:
            for turn in range(40):
                text = " ".join(contents(prompts.request(label, turn)))
                assert label.description in text
                assert "{{" not in text


def test_longer_and_complex_ask_for_more_text():
    plain, longer, difficult = map(load_style, ("plain", "longer", "complex"))
    assert plain.max_characters < longer.max_characters <= difficult.max_characters
    request = Prompts(TASK, difficult, 0).request(TASK.labels[0], 0)
    assert request.attributes["naming"] == "implicit"
    assert "sadness" in request.messages[-1]["content"]


def test_a_style_of_ones_own_is_read_and_checked(tmp_path):
    text = (  # a shipped style with one value changed
        "system: s\nexample: e\nrequest: '{{ topic }}'\nattributes: {topic: [a, b]}\n"
        "texts_per_request: 2\ntemperature: 0.5\nmin_characters: 1\nmax_characters: 9\n"
    )
    path = tmp_path / "own.yaml"
    path.write_text(text)
    assert load_style(str(path)).texts_per_request == 2
    for wrong in ("temperature: 9", "max_characters: 0", "attributes: {topic: []}"):
        path.write_text(text.replace(wrong.split(":")[0] + ":", "#", 1) + wrong + "\n")
        with pytest.raises(InputError):
            load_style(str(path))
    path.write_text("system: s\n")
    with pytest.raises(InputError, match="must have the keys"):
        load_style(str(path))


def test_an_unknown_style_is_refused():
    with pytest.raises(InputError, match="no-such-style"):
        load_style("no-such-style")


def test_real_texts_are_shown_unless_they_are_longer_than_what_is_wanted():
    style = load_style("plain")
    label, other, *_ = TASK.labels
    fitting = [f"text {number}" for number in range(5)]
    long = ["x" * (style.max_characters + 1)] * 20
    prompts = Prompts(TASK, style, 0, {label.name: fitting + long, other.name: long}, shown=4)

    def shown(label):
        return json.loads(contents(prompts.request(label, 0))[2])

    assert set(shown(label)) < set(fitting)
    assert shown(other) == list(other.examples)


@pytest.mark.parametrize("name", ["plain", "varied", "longer"])
def test_the_context_has_room_for_a_request_and_its_answer(name):
    style, label = load_style(name), TASK.labels[0]
    real = {label.name: ["a word " * (style.max_characters // 7)] * 3}
    request = Prompts(TASK, style, 0, real, shown=3).request(label, 0)
    # English has four characters per token or more.
    tokens = sum(map(len, contents(request))) / 4
    assert tokens + request.max_tokens < style.context_tokens(3)
