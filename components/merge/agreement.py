"""A check of the labels of the synthetic rows against the real rows.

A linear classifier of word frequencies, trained on the real train rows, gives every synthetic
text a probability of its label. It is weaker than the model to come, but has never seen a
synthetic row, so a very low probability speaks against the label.
"""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from components.artifacts.dataset import REAL, SYNTHETIC
from components.merge.audit import Audit
from components.merge.measures import distinct_n
from components.merge.settings import MergeSettings
from components.merge.splits import subsample

_FOLDS = 3
_MAX_ROWS = 8000  # more rows cost more time than they add to a linear classifier


def judge(train: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, float | None]:
    """Judge every synthetic row by a classifier of the real rows.

    Args:
        train: Columns `text`, `label` (id), `source`; the real rows have at least two labels.
        seed: Draws the folds.

    Returns:
        For every synthetic row, by its index, the columns `probability` of its label and
        `agrees` (1.0 if that label is the most probable one), both missing for a label without
        real rows; and the classifier's own accuracy, cross-validated on the real rows,
        or None if a label has too few of them.
    """
    real, extra = (train[train["source"] == source] for source in (REAL, SYNTHETIC))
    real = subsample(real, _MAX_ROWS, seed)
    judged = pd.DataFrame(index=extra.index, columns=["probability", "agrees"], dtype="float64")
    if real["label"].nunique() < 2 or extra.empty:
        return judged, None
    classifier = _classifier().fit(real["text"], real["label"])
    known = extra[extra["label"].isin(classifier.classes_)]
    if len(known):
        probabilities = classifier.predict_proba(known["text"])
        own = np.searchsorted(classifier.classes_, known["label"])
        judged.loc[known.index, "probability"] = probabilities[np.arange(len(own)), own]
        judged.loc[known.index, "agrees"] = (probabilities.argmax(axis=1) == own).astype(float)
    return judged, _accuracy(real, seed)


def filter_labels(
    train: pd.DataFrame, settings: MergeSettings, audit: Audit
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Drop, weight or keep doubtful synthetic rows, as `agreement_action` says.

    Args:
        train: Columns `text`, `label` (id), `source`, `model`.
        settings: `min_agreement`, `agreement_action` and `sample_weights`.
        audit: Records the rows that are dropped.

    Returns:
        The rows, with a column `weight` if `sample_weights` is on, and figures for the report.
    """
    judged, accuracy = judge(train, settings.seed)
    # A label without real rows cannot be judged: its rows pass.
    probability = judged["probability"].reindex(train.index).fillna(1.0)
    low = probability < settings.min_agreement
    weight = probability / settings.min_agreement if settings.agreement_action == "weight" else 1.0
    rows = train
    if settings.sample_weights:
        rows = train.assign(weight=pd.Series(1.0, index=train.index).mask(low, weight))
    if settings.agreement_action == "drop":
        rows = audit.drop(rows, low, "low_agreement")
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


def _classifier() -> Pipeline:
    # Balanced, so that a text without telling words does not count against a rare label.
    # liblinear, one label against the rest, is ten times as fast here as the multinomial fit.
    logistic = LogisticRegression(C=3, class_weight="balanced", solver="liblinear", tol=0.01)
    words = TfidfVectorizer(sublinear_tf=True)
    return make_pipeline(words, OneVsRestClassifier(logistic))


def _accuracy(real: pd.DataFrame, seed: int) -> float | None:
    if real["label"].value_counts().min() < _FOLDS:
        return None
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    return float(cross_val_score(_classifier(), real["text"], real["label"], cv=folds).mean())


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
