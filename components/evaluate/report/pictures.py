"""Pictures of the report, as SVG text."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from components.artifacts.evaluation.scores import (
    Interval,
    Intervals,
    LabelScores,
    ReliabilityBin,
    Scores,
)
from components.artifacts.model.history import History, Point
from components.reports import BLUE, GREEN, GREY, GRID, INK, ORANGE, shorten, to_svg

_WIDTH = 4.4
_DARK = 0.68


def confusion_matrix(scores: Scores, labels: Sequence[str]) -> str:
    """Draw counts by true and predicted label, shaded by their share of the true label.

    Args:
        scores: The counts and shares.
        labels: Label names in the order of their ids.
    """
    shares = np.array(scores.confusion_shares)
    names = [shorten(label) for label in labels]
    ids = range(len(names))
    side = 1.2 + 0.45 * len(names)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.add_subplot()
    axes.pcolormesh(ids, ids, shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white")
    for (row, column), count in np.ndenumerate(np.array(scores.confusion_matrix)):
        ink = "white" if shares[row, column] > _DARK else INK
        axes.text(column, row, f"{count}", ha="center", va="center", color=ink)
    axes.set_xticks(ids, names, rotation=45, ha="right", rotation_mode="anchor", parse_math=False)
    axes.set_yticks(ids, names, parse_math=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="predicted", ylabel="true", aspect="equal")
    axes.invert_yaxis()
    return to_svg(figure)


def label_bars(per_label: Mapping[str, LabelScores], bounds: Intervals) -> str:
    """Draw recall and F1 of each label as bars with their 95 % intervals.

    Args:
        per_label: Scores by label.
        bounds: The intervals by label.
    """
    series = {
        name: [
            (getattr(scores, key), getattr(bounds.per_label[label], key))
            for label, scores in per_label.items()
        ]
        for key, name in (("recall", "recall"), ("f1", "F1"))
    }
    return paired_bars(list(per_label), series)


def paired_bars(
    labels: Sequence[str], series: Mapping[str, Sequence[tuple[float, Interval]]]
) -> str:
    """Draw two figures of each label as bars with their 95 % intervals.

    Args:
        labels: Names of the labels.
        series: Value and interval for each label, by the name of the figure; two figures.
    """
    places = np.arange(len(labels))
    figure = Figure(figsize=(_WIDTH, 1.1 + 0.5 * len(labels)), layout="constrained")
    axes = figure.add_subplot()
    styles = ((BLUE, -0.2), (ORANGE, 0.2))
    for (name, points), (colour, shift) in zip(series.items(), styles, strict=True):
        values = np.array([value for value, _ in points])
        # A percentile interval can narrowly miss the value itself.
        below = np.maximum(values - [each.low for _, each in points], 0)
        above = np.maximum([each.high for _, each in points] - values, 0)
        axes.barh(places + shift, values, height=0.36, color=colour, label=name)
        axes.errorbar(
            values, places + shift, xerr=(below, above), fmt="none", ecolor=INK, capsize=2.5
        )
    axes.set_yticks(places, [shorten(label) for label in labels], parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.tick_params(axis="y", length=0)
    _plain(axes)
    figure.legend(loc="outside upper left", ncols=2, frameon=False)
    return to_svg(figure)


def reliability_diagram(bins: Sequence[ReliabilityBin]) -> str:
    """Draw the share of right predictions over their probability, and the share of rows.

    Args:
        bins: The bins that have rows.
    """
    figure = Figure(figsize=(_WIDTH, 4.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    stated = [each.confidence for each in bins]
    upper.plot((0, 1), (0, 1), color=GREY, linestyle="--", label="ideal")
    right, total = [each.accuracy for each in bins], sum(each.rows for each in bins)
    upper.plot(stated, right, color=BLUE, linewidth=1)
    areas = [20 + 180 * each.rows / total for each in bins]
    upper.scatter(stated, right, areas, color=BLUE, label="model", clip_on=False, zorder=3)
    upper.set(xlim=(0, 1.02), ylim=(0, 1.02), ylabel="right predictions")
    upper.legend(frameon=False, loc="upper left")
    lower.bar(stated, [each.rows / total for each in bins], width=0.04, color=BLUE)
    lower.set(xlabel="predicted probability", ylabel="rows", ylim=(0, 1))
    lower.xaxis.set_major_formatter(PercentFormatter(1))
    for axes in (upper, lower):
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        _plain(axes)
    return to_svg(figure)


def learning_curves(history: History) -> str:
    """Draw losses, validation scores and learning rate over the epochs, one below the other."""
    figure = Figure(figsize=(_WIDTH, 6.2), layout="constrained")
    losses, scores, rates = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 2))
    for axes, points, key, name, colour, marker in (
        (losses, history.train, "loss", "train loss", BLUE, ""),
        (losses, history.validation, "loss", "validation loss", ORANGE, "o"),
        (scores, history.validation, "accuracy", "validation accuracy", GREY, "s"),
        (scores, history.validation, "macro_f1", "validation macro-F1", GREEN, "^"),
        (rates, history.train, "learning_rate", "learning rate", BLUE, ""),
    ):
        _line(axes, points, key, color=colour, marker=marker, label=name)
    losses.set_ylim(bottom=0)
    lowest = min(min(each["accuracy"], each["macro_f1"]) for each in history.validation)
    scores.set_ylim(max(0, math.floor(10 * lowest - 0.5) / 10), 1)
    scores.yaxis.set_major_formatter(PercentFormatter(1))
    rates.set_ylim(bottom=0)
    rates.set_xlabel("epoch")
    rates.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for axes in (losses, scores, rates):
        axes.axvline(history.best_epoch, color=GREY, linestyle=":", linewidth=1)
        axes.legend(frameon=False)
        _plain(axes)
    return to_svg(figure)


def _line(axes: Any, points: Sequence[Point], key: str, **style: Any) -> None:
    known = [point for point in points if key in point]
    axes.plot([point["epoch"] for point in known], [point[key] for point in known], **style)


def _plain(axes: Any) -> None:
    axes.set_axisbelow(True)
    axes.grid(color=GRID)
    axes.spines[["top", "right"]].set_visible(False)
