"""The numbers of real and synthetic rows in train."""

import math
from collections.abc import Mapping

import pandas as pd

from components.artifacts.dataset import REAL, SYNTHETIC
from components.merge.audit import Audit
from components.merge.settings import MergeSettings
from components.merge.split import subsample


def mix(train: pd.DataFrame, settings: MergeSettings, audit: Audit) -> pd.DataFrame:
    """Draw the real and the synthetic rows that the settings ask for.

    Args:
        train: Columns `text`, `label` (id), `source`.
        settings: `max_train_rows`, and the limits on synthetic rows.
        audit: Records the rows that are not drawn.
    """
    real = train[train["source"] == REAL]
    chosen = subsample(real, settings.max_train_rows, settings.seed)
    rows = audit.drop(train, _not_in(train, real, chosen), "over_max_train_rows")
    extra = rows[rows["source"] == SYNTHETIC]
    wanted = quotas(_counts(extra), _counts(chosen), settings)
    drawn = pd.concat(
        [part.sample(wanted[label], random_state=settings.seed) for label, part in _parts(extra)]
        or [extra]
    )
    return audit.drop(rows, _not_in(rows, extra, drawn), "over_limit").reset_index(drop=True)


def quotas(
    synthetic: Mapping[int, int], real: Mapping[int, int], settings: MergeSettings
) -> dict[int, int]:
    """Compute the number of synthetic rows to use of each label.

    Args:
        synthetic: Available rows by label id.
        real: Real train rows, by label id.
        settings: The limits; the lowest one counts.
    """
    wanted = dict(sorted(synthetic.items()))
    if settings.synthetic_per_label:
        wanted = {label: min(rows, settings.synthetic_per_label) for label, rows in wanted.items()}
    if settings.top_up:
        most = max(real.values(), default=0)
        wanted = {label: min(rows, most - real.get(label, 0)) for label, rows in wanted.items()}
    share = settings.max_synthetic_share
    if share == 1:
        return wanted
    return _even(wanted, math.floor(share / (1 - share) * sum(real.values()) + 1e-9))


def _even(wanted: Mapping[int, int], total: int) -> dict[int, int]:
    """Share `total` rows out: the labels that want most are cut first."""
    given = {}
    by_need = sorted(wanted, key=lambda label: (wanted[label], -label))
    for place, label in enumerate(by_need):
        given[label] = min(wanted[label], total // (len(by_need) - place))
        total -= given[label]
    return given


def _counts(rows: pd.DataFrame) -> dict[int, int]:
    return {label: len(part) for label, part in _parts(rows)}


def _parts(rows: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
    return [(label, rows[rows["label"] == label]) for label in sorted(set(rows["label"].tolist()))]


def _not_in(rows: pd.DataFrame, part: pd.DataFrame, chosen: pd.DataFrame) -> "pd.Series[bool]":
    left_out = part.index.difference(chosen.index)
    return pd.Series(rows.index.isin(left_out), index=rows.index)
