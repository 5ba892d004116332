"""How pictures are drawn: figures of one size, quiet axes, series told apart by more than colour."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FuncFormatter,
    Locator,
    LogLocator,
    MaxNLocator,
    MultipleLocator,
    NullLocator,
)

from analysis.exports.printable import printable
from analysis.plots.colours import light
from analysis.plots.picture import Picture
from analysis.plots.svg import inlined
from analysis.table import amount
from results.metrics import Unit

_WIDTH_IN = 9.0
_FONT_PT = 9.0
_MOST_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Look:
    """How one series is drawn: role of its colour, dash (on and off, in points), marker, and its filling."""

    role: str
    dashes: tuple[float, ...] = ()
    marker: str = "o"
    hollow: bool = False

    @property
    def dash(self) -> tuple[float, Sequence[float]] | Literal["-"]:
        """As Matplotlib names it."""
        return (0, self.dashes) if self.dashes else "-"

    @property
    def colour(self) -> str:
        """What Matplotlib draws with."""
        return light(self.role)


#: The whole form, in every picture.
WHOLE = Look("base", (5, 2), "s")
#: Its second measurement.
CONTROL = Look("base", (1, 1.5), "x")
#: Streams, in their order.
LOOKS = (
    Look("c1"),
    Look("c2", (6, 1.5), "^"),
    Look("c3", (3, 1.5, 1, 1.5), "D"),
    Look("c4", (1.5, 1), "v"),
    Look("c5", (8, 2, 1, 2, 1, 2), "P"),
    Look("c6", (4, 3), "*"),
)


def new_figure(height_in: float) -> Figure:
    """A figure of the page's width, its parts laid out so that none overlap."""
    return Figure(figsize=(_WIDTH_IN, height_in), layout="constrained")


def drawn(
    name: str,
    title: str,
    what_to_see: str,
    description: str,
    *,
    height_in: float,
    draw: Callable[[Figure], None],
) -> Picture:
    """The picture that ``draw`` makes of an empty figure; the same data make the same bytes."""
    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "font.size": _FONT_PT,
        "text.parse_math": False,
        "axes.unicode_minus": True,
        "path.simplify": True,
    }
    title = printable(title)
    # the user's matplotlibrc has no say; what is set here is taken back at the end
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # the reader's font has it
        mpl.rcdefaults()
        mpl.rcParams.update(settings)
        figure = new_figure(height_in)
        draw(figure)
        _lay_out(figure)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return Picture(name, title, what_to_see, description, inlined(out.getvalue(), name, title, description))


def _lay_out(figure: Figure) -> None:
    """Give its parts their places, for good: saving would do so again, by drawing all of it once more."""
    engine = figure.get_layout_engine()
    assert engine is not None  # noqa: S101
    engine.execute(figure)
    figure.set_layout_engine("none")


def plain(axes: Axes, *, title: str | None = None, x: str | None = None, y: str | None = None) -> None:
    """Quiet spines and grid, labels in ink."""
    axes.set_facecolor("none")
    axes.figure.patch.set_alpha(0)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(light("muted"))
        spine.set_linewidth(0.8)
    axes.grid(visible=True, color=light("grid"), linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=light("muted"), labelcolor=light("ink"), length=3, width=0.8, which="major")
    axes.tick_params(which="minor", length=0)
    if title:
        axes.set_title(title, loc="left", color=light("ink"), fontsize=_FONT_PT + 1, fontweight="bold")
    if x:
        axes.set_xlabel(x, color=light("muted"))
    if y:
        axes.set_ylabel(y, color=light("muted"))


def in_unit(axes: Axes, which: str, unit: Unit, *, log: bool = False) -> None:
    """Ticks as people read the unit, on the axis ``x`` or ``y``."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    if log:
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    axis.set_major_locator(_log_ticks(unit, high / low) if log else _ticks(unit, high - low))
    axis.set_minor_locator(NullLocator())  # they would be drawn and laid out, and not be seen
    axis.set_major_formatter(FuncFormatter(lambda value, _: amount(value, unit) if value else "0"))


def _ticks(unit: Unit, width: float) -> Locator:
    if unit is not Unit.BYTES:
        return MaxNLocator(6, steps=[1, 2, 2.5, 5, 10])
    return MultipleLocator(2.0 ** math.ceil(math.log2(width / 6)))  # whole KiB and MiB


def _log_ticks(unit: Unit, factor: float) -> Locator:
    if unit is Unit.BYTES:
        return LogLocator(base=2 if factor < 2**7 else 4 if factor < 4**7 else 16, numticks=15)
    return LogLocator(subs=(1.0,) if factor > 500 else (1.0, 2.0, 5.0), numticks=15)


def shown(text: str) -> str:
    """A name for a picture: printable and short."""
    name = printable(text, _MOST_CHARACTERS)
    return f"\u00a0{name}" if name.startswith("_") else name  # Matplotlib takes those for hidden


def legend(figure: Figure, names: Sequence[str], looks: Sequence[Look], *, markers: bool = True) -> None:
    """One legend under the whole figure."""
    handles = [
        Line2D(
            [],
            [],
            color=look.colour,
            linestyle=look.dash,
            marker=look.marker if markers else "none",
            markersize=9 if look.hollow else 4.5,
            fillstyle="none" if look.hollow else "full",
            markeredgewidth=1.8 if look.hollow else 1,
            linewidth=1.6,
        )
        for look in looks
    ]
    longest = max(len(name) for name in names)
    figure.legend(
        handles,
        list(names),
        loc="outside lower center",
        ncols=max(1, min(len(names), 110 // (longest + 8))),
        frameon=False,
        handlelength=3.2,
        labelcolor=light("ink"),
    )
