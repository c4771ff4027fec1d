"""Settings from loosely typed values."""

import contextlib
import json
import shlex
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.errors import InputError, require_between
from components.options import (
    of_type,
    option_types,
    read_assignments,
    settings_of,
    shared,
    with_options,
)


@dataclass(frozen=True)
class Choice:
    name: str = "a"
    count: int = 1
    share: float = 0.5
    is_on: bool = False


def test_numbers_come_back_from_json_in_their_types():
    choice = with_options(Choice, {"count": 3.0, "share": 1, "is_on": True}, name="b")
    assert choice == Choice("b", 3, 1.0, True)
    assert type(choice.count) is int
    assert type(choice.share) is float


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"cuont": 1}, "Did you mean count"),
        ({"name": "b"}, "'name'"),
        ({"count": 1.5}, "count=1.5: must be int, not float. Write a whole number"),
        ({"name": 1234567}, "name=1234567: must be str, not int. Put it into quotation marks"),
        ({"name": {"a": 1}}, "must be str, not dict. Write one text"),
        ({"count": True}, "count=True: must be int, not bool"),
        ({"is_on": 1}, "is_on=1: must be bool, not int. Write true or false"),
        ({"share": "much"}, "share='much': must be float, not str"),
    ],
)
def test_what_is_no_option_or_has_another_type_is_refused(options, named):
    given = {} if "must be str" in named else {"name": "a"}
    with pytest.raises(InputError, match=named):
        with_options(Choice, options, **given)


@dataclass(frozen=True)
class BakeSettings:
    STEP: ClassVar[str] = "bake"

    seed: int = shared("seed", 0)
    minutes: int = 10
    flour: str = "rye"

    def __post_init__(self):
        require_between("minutes", self.minutes, 1)


def test_settings_are_made_from_the_parameters_of_their_step():
    parameters = {"seed": 3, "bake_minutes": 20.0, "bake_options": {"flour": "oat"}}
    made = settings_of(BakeSettings, **parameters, fry_minutes=1)
    assert made == BakeSettings(3, 20, "oat")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"bake_minute": 1}, "parameter 'bake_minute': is not known. Did you mean bake_minutes"),
        ({"bake_minutes": "long"}, "bake_minutes='long': must be int"),
        ({"bake_minutes": 0}, "bake_minutes=0: must be at least 1"),
        ({"bake_options": {"minutes": 0}}, "^minutes=0: must be at least 1"),
        ({"bake_minutes": 1, "bake_options": {"minutes": 2}}, "option 'minutes': is not known"),
    ],
)
def test_an_error_names_what_the_user_gave(parameters, said):
    with pytest.raises(InputError, match=said):
        settings_of(BakeSettings, **parameters)


def test_assignments_are_split_as_a_shell_does_and_read_as_yaml():
    texts = ["a=1e-3 b='two words'", 'c=\'{"0": "joy"}\'', "a=2"]
    assert read_assignments(texts) == {"a": 2, "b": "two words", "c": {"0": "joy"}}


@pytest.mark.parametrize(
    "text",
    [
        "rows #1.csv",
        "@rows.csv",
        "`x`",
        "%x",
        "*.yaml",
        "&x",
        "!x",
        "[a",
        "{x",
        "a: b",
        "- a",
        "?",
        "1234567",
        "1e10",
        "007",
        "null",
        "true",
        "~",
        "",
        " gs://b/x",
        "a\nb",
    ],
)
def test_where_text_is_wanted_a_word_is_taken_as_it_stands(text):
    assert read_assignments([shlex.quote(f"name={text}")], {"name": str}) == {"name": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2e-5", 2e-5),
        ("1e3", 1000.0),
        ("010", 10),
        ("true", True),
        ("yes", "yes"),
        ("null", None),
        ("3 #4", "3 #4"),
        ("*x", "*x"),
        ("[a,b]", ["a", "b"]),
        ("{a: 1e-1}", {"a": 0.1}),
        ('"3"', "3"),
    ],
)
def test_elsewhere_a_value_is_what_it_is_in_yaml(text, value):
    read = read_assignments([shlex.quote(f"name={text}")])["name"]
    assert (read, type(read)) == (value, type(value))


def test_options_of_a_step_have_their_types():
    assert option_types(BakeSettings)["bake_options.flour"] is str


@pytest.mark.parametrize(
    ("value", "wanted", "fix"),
    [
        ("a.gguf", list[str], r"Write \[a\.gguf\]\.$"),
        (3, list[str], r"Write \[one,two\]\.$"),
        ("a", dict[str, object], r"Write \{name: value\}\.$"),
    ],
)
def test_the_fix_shows_how_a_value_is_written(value, wanted, fix):
    with pytest.raises(InputError, match=fix):
        of_type("models", value, wanted)


@pytest.mark.parametrize("text", ["epochs", "=1", "a='open", "a=[1", "a=it's.csv", "a=\udce9"])
def test_what_is_not_an_assignment_is_refused(text):
    with pytest.raises(InputError, match="--set"):
        read_assignments([text])


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(max_size=9)))
def test_any_values_survive_quoting(values):
    texts = [shlex.quote(f"{name}={json.dumps(value)}") for name, value in values.items()]
    for types in ({}, dict.fromkeys(values, str)):
        assert read_assignments([" ".join(texts)], types) == values


@given(st.text(max_size=20), st.sampled_from([str, int, float, bool, list[str], dict[str, object]]))
def test_any_text_is_read_or_refused(text, wanted):
    with contextlib.suppress(InputError):
        of_type("a", read_assignments([text, f"a={text}"], {"a": wanted}).get("a"), wanted)
