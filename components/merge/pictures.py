"""Pictures for the data report, as SVG text."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from components.artifacts.dataset import REAL, SYNTHETIC, TEST, TRAIN, VALIDATION
from components.reports import BLUE, GREEN, GREY, GRID, ORANGE, shorten, to_svg

_WIDTH = 4.2
_COLOURS = {
    (TRAIN, REAL): BLUE,
    (TRAIN, SYNTHETIC): ORANGE,
    (VALIDATION, REAL): GREEN,
    (VALIDATION, SYNTHETIC): "#e69f00",
    (TEST, REAL): "#8bb8a8",
    (TEST, SYNTHETIC): "#f0c987",
}
_BINS = 30


def rows_by_label(counts: Mapping[tuple[str, str], Sequence[int]], labels: Sequence[str]) -> str:
    """Draw a bar for each label, stacked from the rows of each split and source.

    Args:
        counts: Number of rows by label id, by (split, source).
        labels: Label names in the order of their ids.
    """
    figure = Figure(figsize=(_WIDTH, 1.3 + 0.26 * len(labels)), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(len(labels))
    left = np.zeros(len(labels), int)
    for (split, source), rows in counts.items():
        colour = _COLOURS.get((split, source), GREY)
        name = f"{split}, {source}"
        bars = axes.barh(places, rows, left=left, height=0.72, color=colour, label=name)
        left = left + np.asarray(rows)
    axes.bar_label(bars, labels=[f"{total:,}" for total in left], padding=3, color=GREY)
    axes.set_yticks(places, [shorten(label) for label in labels], parse_math=False)
    axes.set_xlabel("rows")
    axes.invert_yaxis()
    axes.margins(x=0.14, y=0.02)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    _tidy(axes, "x")
    return to_svg(figure)


def lengths(words: Mapping[str, Sequence[int]]) -> str:
    """Draw the lengths of the texts of each source, as shares of its rows.

    Args:
        words: Number of words of each text by source; the longest hundredth of all texts is
            drawn in the last bin.
    """
    present = {source: np.asarray(each) for source, each in words.items() if len(each)}
    longest = max(5, int(np.quantile(np.concatenate(list(present.values())), 0.99)))
    width = -(-longest // _BINS)
    edges = np.arange(0, longest + width + 1, width)
    figure = Figure(figsize=(_WIDTH, 2.5), layout="constrained")
    axes = figure.add_subplot()
    for source, each in present.items():
        counts, _ = np.histogram(np.minimum(each, edges[-1]), edges)
        shares = 100 * counts / len(each)
        colour = _COLOURS.get((TRAIN, source), GREY)
        axes.stairs(shares, edges, fill=True, color=colour, alpha=0.25)
        axes.stairs(shares, edges, color=colour, linewidth=1.6, label=source)
    axes.set(xlabel="words", ylabel="% of the rows", xlim=(0, edges[-1]))
    axes.legend(frameon=False)
    _tidy(axes, "y")
    return to_svg(figure)


def _tidy(axes: Axes, values: Literal["x", "y"]) -> None:
    axis = axes.xaxis if values == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axis.set_major_formatter("{x:,.0f}")
    axes.grid(axis=values, color=GRID)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
