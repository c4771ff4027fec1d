"""Which candidates are accepted, and why the others are not."""

import pytest

from components.generate.curate import Curator
from components.generate.parse import Candidate
from components.task import load_task

TASK = load_task("emotion")
LONG = (
    "we walked along the winding river bank and talked about the past summer until the sun "
    "went down behind the hills and the stars came out at last"
)


@pytest.fixture
def curator():
    return Curator(TASK, max_characters=140)


@pytest.mark.parametrize(
    "text",
    [
        "what a day",
        "i feel proud of my son",
        "She said: “I'm so glad!” and hugged me.",
        "Ich bin so glücklich über das Fest!",
        "I won 3 prizes today 🎉",
        LONG + ".",
        LONG + '!")',
        LONG[:139],
    ],
)
def test_good_sentences_are_accepted(curator, text):
    assert curator.rejection(Candidate(text), "joy") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "too short"),
        ("so happy", "too short"),
        ("i feel\nso happy", "control characters"),
        ("i feel so\u200b happy", "control characters"),
        ("i feel so happy \ud83d", "control characters"),
        ("so happy " * 300, "too long"),
        (LONG[:140], "breaks off"),
        ("12 + 30 = 42 :-)", "not prose"),
        ("As an AI I have no birthday", "speaks of the prompt"),
        ("Here are four sentences for you", "speaks of the prompt"),
        ("I cannot help with that request", "speaks of the prompt"),
        ("i am so happy i am so happy today", "repeats itself"),
    ],
)
def test_bad_sentences_are_rejected_for_a_reason(curator, text, reason):
    assert curator.rejection(Candidate(text), "joy") == reason


@pytest.mark.parametrize("claimed", ["joy", " JOY "])
def test_the_label_the_llm_gives_may_agree(curator, claimed):
    assert curator.rejection(Candidate("what a day", claimed), "joy") is None


@pytest.mark.parametrize("claimed", ["sadness", "happiness", "joyful"])
def test_the_label_the_llm_gives_may_not_disagree(curator, claimed):
    assert curator.rejection(Candidate("what a day", claimed), "joy") == "labelled otherwise"


@pytest.mark.parametrize(
    "copy", ["I feel so light today", "i FEEL so light, today!", "  i feel  so lig\uff28t today "]
)
def test_the_same_text_is_accepted_once_whatever_its_label(curator, copy):
    assert curator.rejection(Candidate("I feel so light today"), "joy") is None
    assert curator.rejection(Candidate(copy), "love") == "duplicate"


def test_a_rejected_text_is_not_remembered(curator):
    text = "I feel so light today"
    assert curator.rejection(Candidate(text, "sadness"), "joy") == "labelled otherwise"
    assert curator.rejection(Candidate(text), "joy") is None


@pytest.mark.parametrize("label", TASK.labels, ids=TASK.names)
def test_copies_of_the_examples_are_rejected(curator, label):
    for text in label.examples:
        assert curator.rejection(Candidate(text.upper()), label.name) == "duplicate"
