"""Checks with limits, and the rows that were removed, by reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from components import storage
from components.artifacts.dataset import REAL, SYNTHETIC
from components.errors import InputError

PROBLEMS = "problems.csv"
"""File of the rows that a check finds."""

REASONS: Mapping[str, str] = {
    "invalid": "no text, too long a text, or an unknown label",
    "in_other_split": "the text is also in validation or test",
    "near_other_split": "nearly the same text is in validation or test",
    "conflicting_labels": "the text has more than one label",
    "repeated": "the text is in train already",
    "near_repeated": "nearly the same text came before, in rows that merge splits",
    "over_max_train_rows": "not drawn for max_train_rows",
    "synthetic_invalid": "no text, too long a text, or an unknown label",
    "synthetic_repeated": "the text is in the same synthetic source already",
    "synthetic_near_repeated": "nearly the same text is in the same source already",
    "synthetic_in_other_source": "(nearly) the same text is in an earlier synthetic source",
    "synthetic_in_other_split": "the text is also in validation or test",
    "synthetic_near_other_split": "nearly the same text is in validation or test",
    "synthetic_copies_real": "the text is also that of a real train row",
    "synthetic_low_agreement": "the real rows speak against the label",
    "synthetic_over_limit": "more synthetic rows than the settings ask for",
}
"""Reasons for which rows are removed; those of synthetic rows start with `synthetic_`."""

INVALID = "invalid"
_MAX_EXAMPLES = 1000
_ROWS_SHOWN = 5
_PROBLEM_COLUMNS = ["check", "place", "reason", "text", "label"]


@dataclass
class Audit:
    """Collects the outcomes of checks and the rows that were removed.

    Args:
        labels: Label names in the order of their ids.
        problems: CSV file for every row that a check finds, even if the check passes.
    """

    labels: Sequence[str]
    problems: Path
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)
    removed: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(REASONS, 0)))
    _examples: list[pd.DataFrame] = field(default_factory=list)
    _found: list[pd.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.problems.unlink(missing_ok=True)

    def drop(self, rows: pd.DataFrame, mask: "pd.Series[bool]", reason: str) -> pd.DataFrame:
        """Remove the rows of a mask, and count them under a reason.

        Args:
            rows: Columns `text`, `label` and `source`.
            mask: The rows to remove.
            reason: One of `REASONS`, without the `synthetic_` that synthetic rows get.
        """
        for source, part in rows[mask].groupby("source"):
            full = reason if source == REAL else f"{SYNTHETIC}_{reason}"
            self.removed[full] += len(part)
            if reason != INVALID:
                kept = part[["text", "label", "source"]].head(_MAX_EXAMPLES // len(REASONS))
                self._examples.append(kept.assign(reason=full))
        return rows[~mask]

    def require_at_most(
        self, check: str, value: float, limit: float, failure: InputError, found: pd.DataFrame
    ) -> None:
        """Record a check, and fail with the rows found if the value is above the limit.

        Args:
            check: Name of the check.
            value: The measured value.
            limit: The highest value allowed.
            failure: The error; the first rows found are added to its rule.
            found: All rows that the check finds: `place`, `text`, `label`, `reason`; may be empty.

        Raises:
            InputError: If the value is above the limit.
        """
        passed = value <= limit
        self.checks[check] = {"value": round(value, 6), "limit": limit, "passed": passed}
        if not found.empty:
            self._found.append(found.assign(check=check)[_PROBLEM_COLUMNS])
            with storage.staged(self.problems) as draft:
                # The problem may be a lone surrogate, which UTF-8 cannot encode.
                pd.concat(self._found).to_csv(draft, index=False, errors="backslashreplace")
        if passed:
            return
        if found.empty:
            raise failure
        fix = f"{failure.fix}. All of them are in {self.problems}"
        raise InputError(failure.thing, f"{failure.rule}: {_shown(found)}", fix)

    def examples(self) -> pd.DataFrame:
        """List up to 1,000 valid rows removed: `text`, `label` (id), `source`, `reason`."""
        if not self._examples:
            return pd.DataFrame(columns=["text", "label", "source", "reason"])
        return pd.concat(self._examples, ignore_index=True).head(_MAX_EXAMPLES)


def _shown(found: pd.DataFrame) -> str:
    first = found.head(_ROWS_SHOWN)
    listed = "; ".join(f"{row.place}: {row.reason}" for row in first.itertuples())
    more = len(found) - len(first)
    return f"{listed} and {more} more" if more else listed
