"""How bad input is refused: an error that names the thing, the rule and the fix."""

import math
from collections.abc import Iterable


class InputError(ValueError):
    """Something that was given cannot be used; no work was spent on it.

    Args:
        thing: What is wrong: a setting, file, row or service, with its value or place.
        rule: The rule it breaks, as a clause without a full stop.
        fix: What the user can do about it, as a clause without a full stop.
    """

    def __init__(self, thing: str, rule: str, fix: str) -> None:
        super().__init__(f"{thing}: {rule.rstrip('.')}. {fix.rstrip('.')}.")
        self.thing, self.rule, self.fix = thing, rule, fix


def require_between(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Refuse a number outside [low, high], NaN included.

    Raises:
        InputError: If the value is out of range.
    """
    if not low <= value <= high:
        allowed = f"at least {low:g}" if high == math.inf else f"between {low:g} and {high:g}"
        raise InputError(f"{name}={value!r}", f"must be {allowed}", f"Change {name}")


def require_one_of(name: str, value: str, allowed: Iterable[str]) -> None:
    """Refuse a word that is not on the list.

    Raises:
        InputError: If the value is not allowed.
    """
    names = sorted(allowed)
    if value not in names:
        raise InputError(f"{name}={value!r}", "is not known", f"Use one of: {', '.join(names)}")
