"""Pictures for the report as SVG text: the same input gives the same bytes."""

import io
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from components.evaluate.inputs import History

_BLUE, _ORANGE, _GREEN = "#0072b2", "#d55e00", "#007a5a"
_GREY = "#5c6166"
_LONGEST_NAME = 18


def confusion_matrix(counts: Sequence[Sequence[int]], labels: Sequence[str]) -> str:
    """Draw counts by true and predicted label, shaded by their share of the true label.

    Args:
        counts: Number of rows by [true label id][predicted label id].
        labels: Label names in the order of their ids.
    """
    matrix = np.array(counts)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    names = [_shorten(label) for label in labels]
    ids = range(len(names))
    side = 1.2 + 0.45 * len(names)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.add_subplot()
    axes.pcolormesh(ids, ids, shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white")
    for (row, column), count in np.ndenumerate(matrix):
        ink = "white" if shares[row, column] > 0.68 else "#1d2125"
        axes.text(column, row, f"{count}", ha="center", va="center", color=ink)
    axes.set_xticks(ids, names, rotation=45, ha="right", rotation_mode="anchor", parse_math=False)
    axes.set_yticks(ids, names, parse_math=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="predicted", ylabel="true", aspect="equal")
    axes.invert_yaxis()
    return _svg(figure)


def learning_curves(history: History) -> str:
    """Draw the losses, and the validation scores below them, over the epochs."""
    figure = Figure(figsize=(4.2, 4.6), layout="constrained")
    losses, scores = figure.subplots(2, 1, sharex=True)
    for axes, points, key, name, colour, marker in (
        (losses, history.train, "loss", "train loss", _BLUE, "."),
        (losses, history.validation, "loss", "validation loss", _ORANGE, "o"),
        (scores, history.validation, "accuracy", "validation accuracy", _GREY, "s"),
        (scores, history.validation, "macro_f1", "validation macro-F1", _GREEN, "^"),
    ):
        epochs = [point["epoch"] for point in points]
        values = [point[key] for point in points]
        axes.plot(epochs, values, color=colour, marker=marker, label=name)
    losses.set_ylim(bottom=0)
    scores.set(ylim=(0, 1), xlabel="epoch")
    scores.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for axes in (losses, scores):
        axes.grid(color="#e3e5e8")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    return _svg(figure)


def _shorten(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    # A fixed salt and no metadata: ids and dates would differ from run to run.
    with mpl.rc_context({"svg.hashsalt": "evaluate", "svg.fonttype": "path"}):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=nothing)
    return buffer.getvalue()
