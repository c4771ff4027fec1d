"""Pictures for the report, as SVG text."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from components.evaluate.inputs import History
from components.reports import BLUE, GREEN, GREY, GRID, INK, ORANGE, shorten, to_svg


def confusion_matrix(counts: Sequence[Sequence[int]], labels: Sequence[str]) -> str:
    """Draw counts by true and predicted label, shaded by their share of the true label.

    Args:
        counts: Number of rows by [true label id][predicted label id].
        labels: Label names in the order of their ids.
    """
    matrix = np.array(counts)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    names = [shorten(label) for label in labels]
    ids = range(len(names))
    side = 1.2 + 0.45 * len(names)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.add_subplot()
    axes.pcolormesh(ids, ids, shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white")
    for (row, column), count in np.ndenumerate(matrix):
        ink = "white" if shares[row, column] > 0.68 else INK
        axes.text(column, row, f"{count}", ha="center", va="center", color=ink)
    axes.set_xticks(ids, names, rotation=45, ha="right", rotation_mode="anchor", parse_math=False)
    axes.set_yticks(ids, names, parse_math=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="predicted", ylabel="true", aspect="equal")
    axes.invert_yaxis()
    return to_svg(figure)


def learning_curves(history: History) -> str:
    """Draw the losses, and the validation scores below them, over the epochs."""
    figure = Figure(figsize=(4.2, 4.6), layout="constrained")
    losses, scores = figure.subplots(2, 1, sharex=True)
    for axes, points, key, name, colour, marker in (
        (losses, history.train, "loss", "train loss", BLUE, "."),
        (losses, history.validation, "loss", "validation loss", ORANGE, "o"),
        (scores, history.validation, "accuracy", "validation accuracy", GREY, "s"),
        (scores, history.validation, "macro_f1", "validation macro-F1", GREEN, "^"),
    ):
        epochs = [point["epoch"] for point in points]
        values = [point[key] for point in points]
        axes.plot(epochs, values, color=colour, marker=marker, label=name)
    losses.set_ylim(bottom=0)
    scores.set(ylim=(0, 1), xlabel="epoch")
    scores.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for axes in (losses, scores):
        axes.grid(color=GRID)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    return to_svg(figure)
