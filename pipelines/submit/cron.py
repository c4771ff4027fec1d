"""Times of a recurring run: the cron expressions that KFP reads, of which not all make sense."""

import re
from calendar import monthrange
from dataclasses import dataclass, field

from components.errors import InputError

_LEAP_YEAR = 2028
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = {
    f"@{each}"
    for each in ("hourly", "daily", "midnight", "weekly", "monthly", "yearly", "annually")
}
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(?P<all>[*?])|(?P<first>\w+)(-(?P<last>\w+))?")


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = field(default=())

    def values(self, text: str) -> set[int]:
        """The values that a field names: lists of `*`, `3`, `1-5` and steps such as `*/15`."""
        found: set[int] = set()
        for part in text.split(","):
            whole, slash, step = part.partition("/")
            match = _PART.fullmatch(whole)
            if not match or (slash and not re.fullmatch(r"[0-9]+", step)):
                raise self._refusal(text)
            first = self.low if match["all"] else self._number(match["first"], text)
            open_end = self.high if match["all"] or slash else first
            last = self._number(match["last"], text) if match["last"] else open_end
            if first > last or not 0 < int(step or 1) <= self.high:
                raise self._refusal(text)
            found.update(range(first, last + 1, int(step or 1)))
        return found

    def _number(self, word: str, text: str) -> int:
        if word.lower() in self.words:
            return self.words.index(word.lower()) + self.low
        if not re.fullmatch(r"[0-9]{1,2}", word) or not self.low <= int(word) <= self.high:
            raise self._refusal(text)
        return int(word)

    def _refusal(self, text: str) -> InputError:
        names = f" or {self.words[0]} to {self.words[-1]}" if self.words else ""
        rule = f"is no {self.name}, which is {self.low} to {self.high}{names}"
        return InputError(f"schedule, {text!r}", rule, "Write *, 3, 1-5, 1,3,5 or */2")


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 6, _DAYS),
)


def read_cron(text: str) -> str:
    """Check a cron expression, and put single spaces between its fields.

    KFP would read five fields as second to month, and start runs that nobody meant.

    Args:
        text: Second, minute, hour, day of the month, month, day of the week; or one of @hourly,
            @daily, @midnight, @weekly, @monthly, @yearly and @annually.

    Raises:
        InputError: If it has other fields, one of them is out of range, it starts runs within
            seconds of each other, or it never comes.

    Source: https://pkg.go.dev/github.com/robfig/cron@v1.2.0
    """
    if text.strip() in _NAMED:
        return text.strip()
    fields, thing = text.split(), f"schedule {text!r}"
    if len(fields) != len(_FIELDS):
        names = ", ".join(each.name for each in _FIELDS)
        # Most programs know no seconds.
        is_short = len(fields) == len(_FIELDS) - 1
        example = f"0 {' '.join(fields)}" if is_short else "0 0 3 * * 1"
        rule = f"must have six fields, not {len(fields)}: {names}"
        raise InputError(thing, rule, f"Write it like {example}")
    seconds, *_, days, months, week = (
        each.values(given) for each, given in zip(_FIELDS, fields, strict=True)
    )
    if len(seconds) > 1:
        fix = "Begin with one second, such as 0"
        raise InputError(thing, "starts runs within seconds of each other", fix)
    longest = max(monthrange(_LEAP_YEAR, month)[1] for month in months)
    if min(days) > longest and len(week) == len(_DAYS):
        raise InputError(thing, "never comes, since no such month has the day", "Name another day")
    return " ".join(fields)
