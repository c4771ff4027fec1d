"""From an LLM's answer to candidates."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.generate.parse import Candidate, candidates, last_json

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
OBJECTS = st.fixed_dictionaries({"text": TEXTS}, optional={"label": TEXTS})
ARRAYS = st.lists(TEXTS | OBJECTS, min_size=1)
PREFIXES = st.text("ab \n.,:0[]{}'`", max_size=30)
SUFFIXES = st.text("ab \n.,:0'`", max_size=30)
DEEP = 5000

unhurried = settings(deadline=None)


def found(answer):
    return list(candidates(last_json(answer)))


def texts(answer):
    return [candidate.text for candidate in found(answer)]


@unhurried
@given(ARRAYS, PREFIXES, SUFFIXES, st.booleans())
def test_an_array_is_found_whole_in_prose(array, prefix, suffix, ascii_only):
    block = json.dumps(array, ensure_ascii=ascii_only)
    assert found(prefix + block + suffix) == list(candidates(array))


@unhurried
@given(st.lists(TEXTS), st.booleans(), st.data())
def test_of_a_cut_off_array_the_whole_texts_are_found(array, ascii_only, data):
    block = json.dumps(array, ensure_ascii=ascii_only)
    cut = data.draw(st.integers(0, len(block) - 1))
    ends = [len(json.dumps(array[:n], ensure_ascii=ascii_only)) - 1 for n in range(len(array) + 1)]
    whole = sum(end <= cut for end in ends[1:])
    assert texts(block[:cut]) == [text.strip() for text in array[:whole]]


@unhurried
@given(st.text() | st.text('[]{}",:\\u1a tn'))
def test_no_answer_is_too_strange(answer):
    assert all(isinstance(text, str) for text in texts(answer))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('First ["a"], no, better {"texts": ["b", "c"]}.', ["b", "c"]),
        ('```json\n["a", "b"]\n```', ["a", "b"]),
        ('```\n[{"text": "a"}]\n```\nI hope this helps!', ["a"]),
        ('{"result": {"items": [["a"], [{"text": "b"}]]}}', ["a", "b"]),
        ('["naïve 漢字 \\u00e9 🎉"]', ["naïve 漢字 é 🎉"]),
        ('[{"text": "a"}, {"text": "b", "lab', ["a"]),
        ('{"texts": ["a", "b', ["a"]),
        ('["a", "cut off in an escape \\u26', ["a"]),
        ("[" + "1" * 5000 + ', "a"]', ["a"]),
        ("Sorry, I cannot.", []),
        ("", []),
    ],
)
def test_answers_of_all_kinds(answer, expected):
    assert texts(answer) == expected


@pytest.mark.parametrize("unit", ["[", '["', '{"a":', "[1,", "[]", '["a"', "{", '{"a":1,'])
def test_a_megabyte_of_nonsense_comes_to_an_end(unit):
    assert all(isinstance(text, str) for text in texts(unit * (1_000_000 // len(unit))))


def test_a_block_after_much_prose_is_found():
    assert texts("[so it goes] " * 100_000 + '["a"]') == ["a"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" a ", [Candidate("a")]),
        ({"text": " a "}, [Candidate("a")]),
        ({" Sentence": "a", "EMOTION": "joy"}, [Candidate("a", "joy")]),
        ({"content": "a", "Class": "fear"}, [Candidate("a", "fear")]),
        ({"example": "a", "category": 3}, [Candidate("a")]),
        ({"text": 1, "value": "a"}, [Candidate("a")]),
        ([["a", "b"], ["c"]], [Candidate("a"), Candidate("b"), Candidate("c")]),
        ({"x": {"y": ["a"]}, "z": ["b"]}, [Candidate("a"), Candidate("b")]),
        ({"joy": "a"}, []),
        ([1, None, True, 2.5], []),
        (None, []),
    ],
)
def test_candidates_in_values_of_all_shapes(value, expected):
    assert list(candidates(value)) == expected


def test_candidates_are_found_however_deep():
    value = ["a"]
    for _ in range(DEEP):
        value = [value]
    assert list(candidates(value)) == [Candidate("a")]
