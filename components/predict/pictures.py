"""Pictures of the report, as SVG text."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from components.predict.tally import BINS, Tally
from components.reports import BLUE, shorten, tidy, to_svg

_WIDTH = 4.4


def labels(tally: Tally, names: Sequence[str]) -> str:
    """Draw the share of each label."""
    figure = Figure(figsize=(_WIDTH, 0.7 + 0.34 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    axes.barh(range(len(names)), [tally.share(each) for each in names], height=0.6, color=BLUE)
    axes.set_yticks(range(len(names)), [shorten(each) for each in names], parse_math=False)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    tidy(axes, "x")
    return to_svg(figure)


def probabilities(tally: Tally) -> str:
    """Draw the share of rows by the probability of their label."""
    figure = Figure(figsize=(_WIDTH, 2.2), layout="constrained")
    axes = figure.add_subplot()
    shares = np.array(tally.bins) / max(tally.labelled, 1)
    axes.bar((np.arange(BINS) + 0.5) / BINS, shares, width=0.9 / BINS, color=BLUE)
    # The names of both zeros would touch.
    axes.set_xlim(-0.04, 1.04)
    axes.set_xlabel("probability of the label")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    tidy(axes, "y")
    return to_svg(figure)
