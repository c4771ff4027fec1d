"""A check of the labels of the synthetic rows against the real rows.

A quick classifier, trained on the real train rows, gives every synthetic text a probability of its
label. It is weaker than the model to come, but has never seen a synthetic row, so a very low
probability speaks against the label.
"""

from typing import Any

import numpy as np
import pandas as pd

from components.artifacts.dataset import REAL, SYNTHETIC
from components.merge.audit import Audit
from components.merge.measures import distinct_n
from components.merge.settings import MergeSettings
from components.merge.splits import subsample
from components.merge.weights import weigh
from components.quick_classifier import (
    Embed,
    Labelled,
    QuickClassifier,
    cross_validated,
    judged_right,
)

_MAX_ROWS = 4000  # more rows cost more time than they add to a quick classifier


def judge(
    train: pd.DataFrame, seed: int, embed: Embed | None = None
) -> tuple[pd.DataFrame, float | None]:
    """Judge every synthetic row by a classifier of the real rows.

    Args:
        train: Columns `text`, `label` (id), `source`; the real rows have at least two labels.
        seed: Draws the rows to learn from, if there are very many.
        embed: The encoder; None for a classifier of words alone.

    Returns:
        For every synthetic row, by its index, the columns `probability` of its label and
        `agrees` (1.0 if that label is the most probable one), both missing for a label without
        real rows; and the classifier's own accuracy, cross-validated on the real rows,
        or None if the labels have too few of them.
    """
    real, extra = (train[train["source"] == source] for source in (REAL, SYNTHETIC))
    real = subsample(real, _MAX_ROWS, seed)
    judged = pd.DataFrame(index=extra.index, columns=["probability", "agrees"], dtype="float64")
    if real["label"].nunique() < 2 or extra.empty:
        return judged, None
    rows = Labelled(list(real["text"]), real["label"].tolist())
    classifier = QuickClassifier(embed).fit(rows.texts, rows.labels)
    known = extra[extra["label"].isin(classifier.labels)]
    if len(known):
        probabilities = classifier.probabilities(list(known["text"]))
        own = np.searchsorted(classifier.labels, known["label"])
        judged.loc[known.index, "probability"] = probabilities[np.arange(len(own)), own]
        judged.loc[known.index, "agrees"] = (probabilities.argmax(axis=1) == own).astype(float)
    return judged, _accuracy(rows, embed)


def filter_labels(
    train: pd.DataFrame, settings: MergeSettings, audit: Audit, embed: Embed | None = None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Drop, weight or keep doubtful synthetic rows, as `agreement_action` says.

    Args:
        train: Columns `text`, `label` (id), `source`, `model` and perhaps `label_probabilities`.
        settings: `min_agreement`, `agreement_action` and what the weights are.
        audit: Records the rows that are dropped.
        embed: The encoder; None compares words alone.

    Returns:
        The rows, with a column `weight` if `sample_weights` is on, and figures for the report.
    """
    judged, accuracy = judge(train, settings.seed, embed)
    # A label without real rows cannot be judged: its rows pass.
    probability = judged["probability"].reindex(train.index).fillna(1.0)
    low = probability < settings.min_agreement
    rows = train
    if settings.agreement_action == "drop":
        rows = audit.drop(rows, low, "low_agreement")
    if settings.sample_weights:
        rows = rows.assign(weight=weigh(rows, probability.reindex(rows.index), settings, embed))
    extra = train[train["source"] == SYNTHETIC].join(judged)
    label, model = extra["label"].map(dict(enumerate(audit.labels))).astype(str), extra["model"]
    kept = rows["text"][rows["source"] == SYNTHETIC]
    return rows.reset_index(drop=True), {
        "classifier_accuracy": _rounded(accuracy),
        "action": settings.agreement_action,
        "min_agreement": settings.min_agreement,
        "low_rows": int(low.sum()),
        "by_label": _summary(extra, label),
        "by_model": _summary(extra, model),
        "by_label_and_model": _summary(extra, label + " / " + model),
        "distinct_2_before": _rounded(distinct_n(list(extra["text"]), 2)),
        "distinct_2_after": _rounded(distinct_n(list(kept), 2)),
    }


def _accuracy(rows: Labelled, embed: Embed | None) -> float | None:
    said = cross_validated(rows, max(rows.labels) + 1, embed)
    judged, right = judged_right(rows.labels, said)
    return right / judged if judged else None


def _summary(extra: pd.DataFrame, by: "pd.Series[str]") -> dict[str, dict[str, Any]]:
    return {
        str(name): {
            "rows": len(part),
            "agree_share": _rounded(part["agrees"].mean()),
            "mean_probability": _rounded(part["probability"].mean()),
        }
        for name, part in extra.groupby(by, sort=False)
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(float(value), 4)
