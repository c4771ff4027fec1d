import json

import pytest

from components.artifacts.ledger_lines import (
    AnswerLine,
    CandidateLine,
    Completion,
    Origin,
    parse_line,
)
from components.artifacts.synthetic import read_sentences, write_sentences
from components.errors import InputError

ORIGIN = Origin("joy", "package:tiny.gguf", 3, {"topic": "work", "naming": "implicit"})


@pytest.mark.parametrize(
    "line",
    [
        AnswerLine("f00", ORIGIN, Completion('["I won!"]', "stop", 40, 12, 1.5)),
        CandidateLine("I won!", ORIGIN),
        CandidateLine("I", ORIGIN, "too short"),
    ],
)
def test_a_ledger_line_is_read_as_it_was_written(line):
    assert parse_line(json.dumps(line.to_json())) == line


def test_an_accepted_sentence_is_written_with_its_origin(tmp_path):
    write_sentences([CandidateLine("I won!", ORIGIN).to_row()], tmp_path)

    (row,) = read_sentences(tmp_path)
    assert row == {
        "text": "I won!",
        "label": "joy",
        "model": "package:tiny.gguf",
        "turn": 3,
        "topic": "work",
        "naming": "implicit",
    }


@pytest.mark.parametrize("text", ["", "[]", "7", '{"kind": "other"}', '{"kind": "answer"}', "{"])
def test_a_broken_ledger_line_is_none(text):
    assert parse_line(text) is None


@pytest.mark.parametrize("content", [b"{", b"{}", b"[1]", b"\xff"])
def test_a_broken_list_of_sentences_is_refused(tmp_path, content):
    (tmp_path / "synthetic_emotions.json").write_bytes(content)

    with pytest.raises(InputError, match=r"synthetic_emotions\.json"):
        read_sentences(tmp_path)
