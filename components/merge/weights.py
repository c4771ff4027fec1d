"""The weights of the train rows: how much a synthetic one counts next to a real one."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from components.artifacts.dataset import REAL, SYNTHETIC
from components.artifacts.synthetic import LABEL_PROBABILITIES
from components.merge.settings import MergeSettings
from components.merge.splits import subsample
from components.quick_classifier import Embed, Labelled, QuickClassifier, cross_validated

_MOST_REAL_ROWS = 4000
_LEAST_PROBABILITY = 0.01
_LEAST, _MOST = 0.1, 3.0
"""Bounds of a row's weight relative to the others of its kind, before they are averaged."""


def weigh(
    train: pd.DataFrame,
    probability: "pd.Series[float]",
    settings: MergeSettings,
    embed: Embed | None = None,
) -> "pd.Series[float]":
    """Weigh the train rows: 1 for real ones, `synthetic_weight` for the others on average.

    Args:
        train: Columns `text`, `label` (id), `source` and perhaps `label_probabilities`.
        probability: Of each row's label by the real rows.
        settings: `synthetic_weight`, `weighting`, `agreement_action` and `min_agreement`.
        embed: The encoder; None compares words alone.
    """
    weights = pd.Series(1.0, index=train.index)
    extra = train[train["source"] == SYNTHETIC]
    if extra.empty:
        return weights
    relative = np.ones(len(extra))
    if settings.weighting == "confidence":
        relative = _confidence(extra)
    elif settings.weighting == "importance":
        relative = _importance(train, settings.seed, embed)
    relative = np.clip(relative, _LEAST, _MOST)
    weights[extra.index] = settings.synthetic_weight * relative / relative.mean()
    if settings.agreement_action == "weight":
        low = (probability < settings.min_agreement) & (train["source"] == SYNTHETIC)
        weights = weights.mask(low, weights * probability / settings.min_agreement)
    return weights


def _confidence(extra: pd.DataFrame) -> NDArray[np.float64]:
    """The probability that the judge gave to each row's label; their mean where nobody judged."""
    if LABEL_PROBABILITIES not in extra:
        return np.ones(len(extra))
    told = zip(extra[LABEL_PROBABILITIES], extra["label"], strict=True)
    sure = np.array([each[label] if _is_told(each) else np.nan for each, label in told])
    judged = sure[~np.isnan(sure)]
    mean = float(judged.mean()) if len(judged) else 1.0
    return np.where(np.isnan(sure), mean, sure)


def _is_told(value: object) -> bool:
    return isinstance(value, list | tuple | np.ndarray) and len(value) > 0


def _importance(train: pd.DataFrame, seed: int, embed: Embed | None) -> NDArray[np.float64]:
    """How much likelier each label is by the real rows than by the other synthetic ones.

    The ratio of two classifiers' probabilities (IMP-Loss: Kuo et al., "Not All LLM-Generated Data
    Are Equal", arXiv 2410.21526): high where a row tells what real ones confirm and synthetic
    ones do not repeat.
    """
    real = subsample(train[train["source"] == REAL], _MOST_REAL_ROWS, seed)
    extra = train[train["source"] == SYNTHETIC]
    texts, labels = list(extra["text"]), extra["label"].tolist()
    if real["label"].nunique() < 2:
        return np.ones(len(extra))
    confirmed = QuickClassifier(embed).fit(list(real["text"]), real["label"].tolist())
    said = cross_validated(Labelled(texts, labels), int(train["label"].max()) + 1, embed)
    repeated = np.maximum(said[np.arange(len(said)), labels], _LEAST_PROBABILITY)
    return np.nan_to_num(confirmed.of_labels(texts, labels) / repeated, nan=1.0)
