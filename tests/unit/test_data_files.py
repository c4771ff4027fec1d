"""YAML by the rules of version 1.2, JSON, and files that are refused by name."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.data_files import (
    parse_scalar,
    parse_yaml,
    read_json,
    read_mapping,
    read_record,
    read_shipped,
    to_yaml,
)
from components.errors import InputError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("2E4", 20000.0),
        ("010", 10),
        ("0o17", 15),
        ("on", "on"),
        ("off", "off"),
        ("no", "no"),
        ("yes", "yes"),
        ("true", True),
        ("12:30:45", "12:30:45"),
        ("2026-11-26", "2026-11-26"),
        ("=", "="),
        ("<<", "<<"),
        ("~", None),
        ("", None),
        ("owner/name@c170", "owner/name@c170"),
    ],
)
def test_values_mean_what_yaml_1_2_says(text, value):
    parsed = parse_yaml(text, "value")
    assert (parsed, type(parsed)) == (value, type(value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
)


@given(JSON)
def test_json_is_yaml(value):
    parsed = parse_yaml(json.dumps(value).replace("Infinity", ".inf"), "value")
    assert parsed == value or math.isclose(parsed, value)


@given(JSON | st.sampled_from(["12e3", "-1E5", "0o17", "on", "no", "010", "=", "~", "1e-3"]))
def test_what_is_written_is_read_again(value):
    assert parse_yaml(to_yaml(value), "value") == value


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused(text):
    try:
        parse_yaml(text, "value")
    except InputError as error:
        assert error.thing == "value"


@given(st.text(max_size=40))
def test_any_text_is_a_scalar_and_other_text_is_itself(text):
    value = parse_scalar(text)
    assert value == text or not isinstance(value, str)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", r"gate file .*odd\.yaml: is not valid YAML\. Correct it in line 3"),
        ("a: [1,\n", "is not valid YAML"),
        ("a: \0\n", r"is not valid YAML\. Correct it: unacceptable character.* in .*"),
        ("[" * 2000, r"is nested too deeply\. Write it with fewer brackets within each other"),
        ("- a\n", "must hold names and values"),
        ("1: a\n", "must hold names and values"),
        ("just text", "must hold names and values"),
    ],
)
def test_a_file_that_is_not_a_mapping_is_refused(text, said, tmp_path):
    path = tmp_path / "odd.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_mapping(path, "gate file")


def test_an_empty_file_holds_nothing(tmp_path):
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing yet\n")
    assert read_mapping(path, "gate file") == {}


def test_a_missing_file_is_named():
    with pytest.raises(InputError, match=r"no/such\.yaml"):
        read_mapping(Path("no/such.yaml"), "gate file")


def test_a_shipped_file_is_read_by_its_name_and_any_other_by_its_path(tmp_path):
    (tmp_path / "strict.yaml").write_text("a: 1\n")
    (tmp_path / "mine.yaml").write_text("a: 2\n")
    assert read_shipped("strict", tmp_path, "gate") == {"a": 1}
    assert read_shipped(str(tmp_path / "mine.yaml"), tmp_path, "gate") == {"a": 2}
    with pytest.raises(InputError, match=r"gate 'stirct': is not known\. Use mine, strict, or"):
        read_shipped("stirct", tmp_path, "gate")


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0


def test_a_record_is_read_by_its_fields_and_others_are_left_out(tmp_path):
    (tmp_path / "point.json").write_text('{"x": 1, "later": true}')
    assert read_record(Point, tmp_path / "point.json", {"x": int}, "Write it again") == Point(1)


@pytest.mark.parametrize("content", ["[]", "{}", '{"x": "1"}'])
def test_a_record_without_a_required_field_is_refused(content, tmp_path):
    (tmp_path / "point.json").write_text(content)
    with pytest.raises(InputError, match=r"json: must hold a int under 'x'\. Write it again"):
        read_record(Point, tmp_path / "point.json", {"x": int}, "Write it again")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.json", "there is no such file"),
        (".", "cannot be read"),
        ("cut.json", "is not a JSON file: Expecting"),
        ("bytes.json", "is not a JSON file: .* decode"),
    ],
)
def test_a_json_file_that_cannot_be_read_is_refused(name, said, tmp_path):
    (tmp_path / "cut.json").write_text("[1,")
    (tmp_path / "bytes.json").write_bytes(b'"\xff"')
    with pytest.raises(InputError, match=said):
        read_json(tmp_path / name, "Write it again")
