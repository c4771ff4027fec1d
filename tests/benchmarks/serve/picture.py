"""Throughput and tail latency by number of clients, as a picture."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from tests.benchmarks.serve.contestants import CONTESTANTS
from tests.benchmarks.serve.measure import closed_name
from tests.benchmarks.serve.tables import Found, title

# Okabe and Ito's colours, told apart with any colour vision: https://jfly.uni-koeln.de/color/
_COLOURS = ("#0072B2", "#56B4E9", "#000000", "#D55E00", "#009E73", "#CC79A7")
_MARKERS = "os^DvP"


def draw(found: Found, clients: Sequence[int], path: Path) -> None:
    """Write a picture of the closed loop; the suffix of the path says its format."""
    plt.rcParams["svg.hashsalt"] = "serve"
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    _panel(left, found, clients, "requests_per_second", "requests a second, higher is better")
    _panel(right, found, clients, "p99", "p99 in ms, lower is better")
    left.set_ylim(bottom=0)
    right.set_yscale("log")
    right.yaxis.set_major_formatter("{x:g}")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle("One text a request, by clients that ask all the time")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def _panel(axes: Axes, found: Found, clients: Sequence[int], figure: str, label: str) -> None:
    # By its place among all contestants, so that one looks the same in every picture.
    for name, colour, marker in zip(CONTESTANTS, _COLOURS, _MARKERS, strict=True):
        if name in found:
            values = [found[name][closed_name(each)][figure] for each in clients]
            axes.plot(clients, values, color=colour, marker=marker, label=title(name))
    axes.set_xscale("log", base=2)
    axes.set_xticks(clients, [str(each) for each in clients])
    axes.minorticks_off()
    axes.set_xlabel("clients")
    axes.set_title(label, fontsize="medium")
    axes.grid(visible=True, color="#dddddd")
    axes.spines[["top", "right"]].set_visible(False)
