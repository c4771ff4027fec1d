"""Report pages: self-contained HTML files in one style."""

import base64
import io
from typing import Any, Literal

import matplotlib as mpl
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, GREY, GRID = "#1d2125", "#5c6166", "#e3e5e8"
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#007a5a"
_LONGEST_NAME = 18


def render_page(template: str, **values: Any) -> str:
    """Fill in a template that extends `report_base.html.j2`; every value is escaped.

    Args:
        template: Its path below `components/`.
        values: Values by the names that the template uses; a missing one is an error.
    """
    environment = Environment(
        loader=PackageLoader("components", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(template).render(values)
    # JSON can hold half a surrogate pair; a UTF-8 file cannot.
    return page.encode("utf-8", "replace").decode()


def data_uri(svg: str) -> str:
    """Encode an SVG picture as the source of an image."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def to_svg(figure: Figure) -> str:
    """Draw a figure as SVG text: the same figure gives the same bytes."""
    buffer = io.StringIO()
    # Without a fixed salt and with metadata, ids and dates would differ between runs.
    with mpl.rc_context({"svg.hashsalt": "report", "svg.fonttype": "path"}):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=nothing)
    return buffer.getvalue()


def shorten(name: str) -> str:
    """Shorten a name so that it fits next to an axis."""
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def tidy(axes: Axes, grid: Literal["x", "y"]) -> None:
    """Leave of a picture's frame what its values need: the lines of one axis, behind its bars."""
    axes.set_axisbelow(True)
    axes.grid(axis=grid, color=GRID)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=0)
