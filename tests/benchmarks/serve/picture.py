"""Throughput and tail latency by number of clients, as a picture."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from tests.benchmarks.serve.contestants import CONTESTANTS
from tests.benchmarks.serve.measure import SPENT_CLIENTS, closed_name
from tests.benchmarks.serve.tables import SPENT, Found, title

# Okabe and Ito's colours, told apart with any colour vision: https://jfly.uni-koeln.de/color/
_COLOURS = ("#0072B2", "#56B4E9", "#000000", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
_PARTS = ("#0072B2", "#D55E00", "#000000")
_MARKERS = "os^DvPX"


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


def draw_spent(found: Found, path: Path) -> None:
    """Write a picture of the core time of a request, of the contestants that it is known of."""
    known = [name for name in found if found[name].get("spent")]
    figure, axes = plt.subplots(figsize=(10, 0.9 + 0.6 * len(known)), layout="constrained")
    left = [0.0] * len(known)
    for (part, label), colour in zip(SPENT.items(), _PARTS, strict=True):
        values = [found[name]["spent"][part] for name in known]
        bars = axes.barh([title(name) for name in known], values, left=left, color=colour)
        axes.bar_label(bars, fmt="{:.0f}", label_type="center", color="white")
        bars.set_label(label)
        left = [start + value for start, value in zip(left, values, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel(f"microseconds of a core for a request, {SPENT_CLIENTS} clients")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=len(SPENT), frameon=False)
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
