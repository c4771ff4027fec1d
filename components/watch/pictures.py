"""Pictures of the report, as SVG text."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from components.artifacts.evaluation.profile import Histogram, Profile
from components.reports import BLUE, ORANGE, shorten, tidy, to_svg

_WIDTH = 4.4
_PAIR = (("reference", BLUE, -0.2), ("traffic", ORANGE, 0.2))


def labels(reference: Profile, traffic: Profile) -> str:
    """Draw the share of each predicted label in both profiles."""
    names = list(reference.labels)
    figure = Figure(figsize=(_WIDTH, 1.1 + 0.5 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    for profile, (name, colour, shift) in zip((reference, traffic), _PAIR, strict=True):
        shares = [profile.labels.get(label, 0) / profile.rows for label in names]
        axes.barh(np.arange(len(names)) + shift, shares, height=0.36, color=colour, label=name)
    axes.set_yticks(range(len(names)), [shorten(each) for each in names], parse_math=False)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    tidy(axes, "x")
    figure.legend(loc="outside upper left", ncols=2, frameon=False)
    return to_svg(figure)


def bin_names(histogram: Histogram) -> list[str]:
    """The upper border of each bin; of the last one, the lower.

    They have as many digits as tell them apart, two at least.
    """
    edges: list[str] = []
    for digits in range(2, 7):
        edges = [f"{each:.{digits}g}" for each in histogram.edges]
        if len(set(edges)) == len(set(histogram.edges)):
            break
    return [*(f"≤ {each}" for each in edges), f"> {edges[-1]}"]


def measures(reference: Profile, traffic: Profile, names: Sequence[str]) -> str:
    """Draw the shares of the bins of some measures in both profiles, one below the other."""
    figure = Figure(figsize=(_WIDTH, 0.6 + 1.7 * len(names)), layout="constrained")
    for axes, name in zip(figure.subplots(len(names), 1, squeeze=False)[:, 0], names, strict=True):
        ticks = bin_names(reference.measures[name])
        for profile, (which, colour, shift) in zip((reference, traffic), _PAIR, strict=True):
            shares = np.array(profile.measures[name].counts) / profile.rows
            axes.bar(np.arange(len(ticks)) + shift, shares, width=0.36, color=colour, label=which)
        axes.set_xticks(range(len(ticks)), ticks, rotation=30, fontsize=8)
        axes.set_title(name, fontsize=10, loc="left", parse_math=False)
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        tidy(axes, "y")
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper left", ncols=2, frameon=False
    )
    return to_svg(figure)
