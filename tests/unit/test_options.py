"""Settings from loosely typed values."""

import json
import shlex
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.errors import InputError, require_between
from components.options import read_assignments, settings_of, shared, with_options


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
        ({"count": 1.5}, "count=1.5: must be int, not float"),
        ({"count": True}, "count=True: must be int, not bool"),
        ({"is_on": 1}, "is_on=1: must be bool, not int"),
        ({"share": "much"}, "share='much': must be float, not str"),
    ],
)
def test_what_is_no_option_or_has_another_type_is_refused(options, named):
    with pytest.raises(InputError, match=named):
        with_options(Choice, options, name="a")


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


@pytest.mark.parametrize("text", ["epochs", "=1", "a='open", "a=[1"])
def test_what_is_not_an_assignment_is_refused(text):
    with pytest.raises(InputError, match="--set"):
        read_assignments([text])


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(max_size=9)))
def test_any_values_survive_quoting(values):
    texts = [shlex.quote(f"{name}={json.dumps(value)}") for name, value in values.items()]
    assert read_assignments([" ".join(texts)]) == values
