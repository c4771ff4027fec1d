"""Task files: what they may hold, and how labels are looked up."""

from copy import deepcopy

import pytest
import yaml

from components.artifacts.task import load_task
from components.errors import InputError

EMOTIONS = ("sadness", "joy", "love", "anger", "fear", "surprise")
TICKETS = {
    "name": "tickets",
    "description": "what a customer wants",
    "topics": ["invoices"],
    "labels": [
        {
            "name": "refund",
            "description": "wants money back",
            "examples": ["Pay me back."],
            "words": ["refund", "money back"],
        },
        {"name": "bug", "description": "reports a fault"},
    ],
}


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "tickets.yaml"
        is_text = isinstance(content, str)
        path.write_text(content if is_text else yaml.safe_dump(content), encoding="utf-8")
        return str(path)

    return write


def changed(*place, to):
    task = deepcopy(TICKETS)
    target = task
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = to
    return task


def without(key):
    return {name: value for name, value in TICKETS.items() if name != key}


def test_the_shipped_emotions_have_the_ids_of_the_public_data_set():
    task = load_task("emotion")
    assert task.names == EMOTIONS
    assert [task.label_id(name) for name in EMOTIONS] == [0, 1, 2, 3, 4, 5]
    assert all(label.examples for label in task.labels)
    assert all(8 <= len(label.words) <= 15 for label in task.labels)
    assert len({word for label in task.labels for word in label.words}) == sum(
        len(label.words) for label in task.labels
    )


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_task_is_loaded_from_a_file(write, scheme):
    task = load_task(scheme + write(TICKETS))
    assert (task.name, task.names, task.topics) == ("tickets", ("refund", "bug"), ("invoices",))
    assert task.labels[0].examples == ("Pay me back.",)
    assert task.labels[1].examples == ()
    assert (task.labels[0].words, task.labels[1].words) == (("refund", "money back"), ())


@pytest.mark.parametrize("word", ["well-being", "खुश", "बहुत खुश", "می\u200cخندم", "开心", "ดีใจ"])
def test_a_word_may_be_of_any_script(write, word):
    task = load_task(write(changed("labels", 0, "words", to=[word])))
    assert task.labels[0].words == (word,)


@pytest.mark.parametrize(
    ("value", "label_id"),
    [
        ("anger", 3),
        ("ANGER", 3),
        (" Anger\n", 3),
        (3, 3),
        ("3", 3),
        (3.0, 3),
        ("3.0", 3),
        (0, 0),
        (5, 5),
        (6, None),
        (-1, None),
        (3.5, None),
        ("3.5", None),
        (float("nan"), None),
        (True, None),
        (None, None),
        ("", None),
        ("angry", None),
    ],
)
def test_labels_are_known_by_name_and_by_id(value, label_id):
    assert load_task("emotion").label_id(value) == label_id


LABEL = {"name": "refund", "description": "wants money back"}


@pytest.mark.parametrize(
    ("content", "place", "rule"),
    [
        ("a: [", "", "not valid YAML"),
        ("", "", "must have the keys"),
        ([1], "", "must hold names and values"),
        (without("name"), "", "must have the keys description, labels, name, topics"),
        (without("description"), "", "must have the keys"),
        (without("labels"), "", "must have the keys"),
        ({**TICKETS, "lables": []}, "", "and no other"),
        ({**TICKETS, "labels": "refund, bug"}, "", "`labels` must be a list of 2 to 100"),
        ({**TICKETS, "labels": [LABEL]}, "", "`labels` must be a list of 2 to 100"),
        ({**TICKETS, "labels": [LABEL] * 101}, "", "2 to 100, and is a list of 101"),
        ({**TICKETS, "labels": [LABEL, LABEL]}, "", "occurs twice"),
        ({**TICKETS, "name": "My Task"}, ", name 'My Task'", "a name is"),
        ({**TICKETS, "description": ""}, ", text ''", "must be one line"),
        ({**TICKETS, "topics": "invoices"}, "", "`topics` must be a list"),
        ({**TICKETS, "topics": [3]}, ", topics, text 3", "must be one line"),
        (changed("labels", 1, to="bug"), ", label 1", "must have the keys"),
        (changed("labels", 1, to={"name": "bug"}), ", label 1", "must have the keys"),
        (changed("labels", 1, "id", to=4), ", label 1", "and no other"),
        (changed("labels", 1, "name", to="Bug"), ", label 1, name 'Bug'", "a name is"),
        (changed("labels", 1, "name", to="a" * 64), ", label 1, name", "a name is"),
        (changed("labels", 1, "name", to=1), ", label 1, name 1", "a name is"),
        (changed("labels", 0, "description", to="a\nb"), ", label 0", "must be one line"),
        (changed("labels", 0, "examples", to="Pay."), ", label 0", "`examples` must be a list"),
        (changed("labels", 0, "examples", to=[" "]), ", label 0, examples", "must be one line"),
        (changed("labels", 0, "examples", to=["a" * 501]), ", label 0", "must be one line"),
        (changed("labels", 0, "words", to="refund"), ", label 0", "`words` must be a list"),
        (changed("labels", 0, "words", to=[3]), ", label 0, words, text 3", "must be one line"),
        (changed("labels", 0, "words", to=["Refund"]), ", label 0, words, 'Refund'", "a word is"),
        (changed("labels", 0, "words", to=["re.*"]), ", label 0, words, 're.*'", "a word is"),
        (changed("labels", 0, "words", to=["a b c d e"]), ", label 0, words", "at most 4"),
    ],
)
def test_a_broken_rule_is_refused_with_its_place(write, content, place, rule):
    path = write(content)
    with pytest.raises(InputError) as refusal:
        load_task(path)
    assert refusal.value.thing.startswith(f"task file {path}{place}")
    assert rule in refusal.value.rule


@pytest.mark.parametrize("reference", ["emotoin", "no/such.yaml", "../tasks/emotion", "ftp://a/b"])
def test_a_task_that_is_not_there_is_refused_by_name(reference):
    with pytest.raises(InputError) as refusal:
        load_task(reference)
    assert reference in refusal.value.thing


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "task.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a UTF-8 text file"):
        load_task(str(tmp_path / "task.yaml"))
