"""Settings from loosely typed values."""

from dataclasses import dataclass

import pytest

from components.errors import InputError
from components.options import with_options


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
