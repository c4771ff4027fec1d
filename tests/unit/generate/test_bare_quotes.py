"""Lists of texts in quotes that are not escaped."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.generate.answers.parse import candidates_in

PROSE = st.text("ab \n.,:0`", max_size=30)
SPOKEN = st.sampled_from(
    ["I", "said", '"no," I', 'said "no", and', '"Go!"', "can't.", '"it\'s 42"']
)


def texts(answer):
    return [candidate.text for candidate in candidates_in(answer)]


def is_plain(text):
    """Whether no apostrophe of a text, alone or with what follows, looks like the end of one."""
    return not re.search(r"(?<!\w)'|'\s*,\s*\Z", text)


@given(st.lists(st.text("ab\u00e9 ',.!?").filter(is_plain), min_size=1), PROSE, PROSE)
def test_a_list_in_single_quotes_is_found_whole_however_many_apostrophes_it_has(
    array, prefix, suffix
):
    block = "[" + ", ".join(f"'{text}'" for text in array) + "]"
    assert texts(f"{prefix}{block}{suffix}") == [text.strip() for text in array]


@given(st.lists(st.lists(SPOKEN, min_size=1).map(" ".join), min_size=1))
def test_a_list_in_double_quotes_is_found_whole_where_those_within_come_in_pairs(array):
    assert texts("[" + ", ".join(f'"{text}"' for text in array) + "]") == array


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("['I can't believe it', 'Don't go']", ["I can't believe it", "Don't go"]),
        (
            "Sure:\n[\n  'I can't',\n  'the dogs' bone',\n]\nIt's done.",
            ["I can't", "the dogs' bone"],
        ),
        ("['I can\\'t', 'Don't go',\t'\\u00e9t\\u00e9']", ["I can't", "Don't go", "\u00e9t\u00e9"]),
        ("['He said \"no\", and can't', 'b']", ['He said "no", and can\'t', "b"]),
        ("['Is it 'the one', I can't say', 'b']", ["Is it 'the one', I can't say", "b"]),
        ("['a', \"I can't\", 'c']", ["a", "I can't", "c"]),
        ('["He said "no", and left.", "Fine."]', ['He said "no", and left.', "Fine."]),
        ('[""No," he said.", "Then "go"!"]', ['"No," he said.', 'Then "go"!']),
        # One of them may be an end or not.
        ("['He said 'no', 'never' and left', 'b']", []),
        ("['He said 'I can't', 'I won't' and left', 'b']", []),
        ('["He said "no", "never" and left.", "Fine."]', ["Fine."]),
        ("['a', \"I can't\", 'it isn't']", []),
        ("['I can't', // the first\n 'b']", []),
        ("1. ['I can't']\n2. ['I don't']", []),
    ],
)
def test_a_text_ends_where_a_quote_a_comma_and_a_quote_follow_each_other(answer, expected):
    assert texts(answer) == expected


@pytest.mark.parametrize(
    "unit", ["'a", " 'a", "a' ", "', '", "',\t", "',\n", '"a', ' "a', "\\'", "[ "]
)
@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_long_list_of_bare_quotes_comes_to_an_end(unit, quote):
    answer = f"[{quote}{unit * (49_000 // len(unit))}{quote}]"
    assert all(isinstance(text, str) for text in texts(answer))
