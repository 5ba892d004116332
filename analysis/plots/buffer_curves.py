"""The buffer curves: what first byte, throughput, CPU and memory do as chunks grow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots.colours import light
from analysis.plots.drawing import LOOKS, WHOLE, Look, drawn, in_unit, legend, plain, shown
from analysis.plots.picture import Picture
from analysis.statistics.signed_rank import interval
from analysis.table import amount
from results.metrics import FIGURES, Unit

#: The figures that are drawn, with what they are called; the first on a logarithmic axis.
DRAWN = {
    "ttfb_p50": "TTFB p50 (less is better)",
    "throughput": "throughput (more is better)",
    "cpu_per_mb": "CPU per MB (less is better)",
    "peak_memory": "peak memory (less is better)",
}
_SHORT = {
    "ttfb_p50": "the first byte",
    "throughput": "throughput",
    "cpu_per_mb": "CPU",
    "peak_memory": "peak memory",
}
_CONFIDENCE = 0.95
_STREAM = LOOKS[0]
_RECOMMENDED = Look("c2", (0.001, 99.0), hollow=True)

#: By figure, the values of a case's valid trials.
Values = Mapping[str, Sequence[float]]


class Seen(StrEnum):
    """Where the bytes of a chunk were seen, as the axis says it."""

    ON_THE_WIRE = "on the wire"
    YIELDED = "as yielded"


@dataclass(frozen=True, slots=True)
class Point:
    """One size of a buffer; ``chunk_bytes`` is the median of its chunks."""

    name: str
    chunk_bytes: float
    values: Values
    recommended: bool


def buffer_curves(name: str, title: str, points: Sequence[Point], whole: Values, seen: Seen) -> Picture:
    """The curves of one family, smallest buffer first, with the whole form's interval as a band."""
    figures = [
        figure for figure in DRAWN if whole.get(figure) and all(point.values.get(figure) for point in points)
    ]
    chosen = [point for point in points if point.recommended]
    mark = f" The ring marks the recommended one, {shown(chosen[0].name)}." if chosen else ""
    return drawn(
        name,
        title,
        f"{_what_to_see(figures, points)}{mark} Bars are 95% intervals over the blocks (with fewer than "
        "six, the least and the greatest); the dashed line with its band is the whole form.",
        " ".join(_told(figure, points, whole) for figure in figures),
        height_in=2.5 * math.ceil(len(figures) / 2) + 0.4,
        draw=lambda figure: _draw(figure, figures, points, whole, seen),
    )


def spread(values: Sequence[float]) -> tuple[float, float]:
    """The 95% interval of the values' centre over blocks; the least and the greatest of fewer than six."""
    return interval(values, _CONFIDENCE) or (min(values), max(values))


def _draw(figure: Figure, names: Sequence[str], points: Sequence[Point], whole: Values, seen: Seen) -> None:
    grid = figure.subplots(math.ceil(len(names) / 2), 2, sharex=True, squeeze=False)
    for axes, name in zip(grid.flat, names, strict=False):
        _curve(axes, name, points, whole[name])
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    for axes in grid[-1]:
        axes.set_xlabel(f"bytes of a chunk (median, {seen})", color=light("muted"))
    recommended = any(point.recommended for point in points)
    legend(
        figure,
        ["streamed", "whole", *(["recommended"] if recommended else [])],
        [_STREAM, Look(WHOLE.role, WHOLE.dashes, "none"), *([_RECOMMENDED] if recommended else [])],
    )


def _curve(axes: Axes, name: str, points: Sequence[Point], whole: Sequence[float]) -> None:
    unit = FIGURES[name].unit
    plain(axes, title=DRAWN[name])
    chunks = [point.chunk_bytes for point in points]
    middles = [median(point.values[name]) for point in points]
    spreads = [spread(point.values[name]) for point in points]
    low, high = spread(whole)
    axes.axhspan(low, high, color=WHOLE.colour, alpha=0.25, linewidth=0)
    axes.axhline(median(whole), color=WHOLE.colour, linestyle=WHOLE.dash, linewidth=1.4)
    axes.vlines(chunks, *zip(*spreads, strict=True), color=_STREAM.colour, linewidth=1.4)
    axes.plot(chunks, middles, color=_STREAM.colour, marker=_STREAM.marker, markersize=4.5, linewidth=1.6)
    for point, middle in zip(points, middles, strict=True):
        if point.recommended:
            axes.plot(
                [point.chunk_bytes],
                [middle],
                marker="o",
                markersize=12,
                fillstyle="none",
                markeredgewidth=1.8,
                color=_RECOMMENDED.colour,
            )
    positive = min([*middles, *whole]) > 0
    if name == "ttfb_p50" and positive:
        in_unit(axes, "y", unit, log=True)
    else:
        axes.set_ylim(min(0.0, *middles, low), 1.1 * max([*middles, high, *(end for _, end in spreads)]))
        in_unit(axes, "y", unit)
    axes.margins(x=0.12)
    in_unit(axes, "x", Unit.BYTES, log=True)


def _what_to_see(names: Sequence[str], points: Sequence[Point]) -> str:
    """How each figure goes from the smallest to the largest buffer."""
    first, last = points[0], points[-1]
    ways = [
        f"{_SHORT[name]} goes from {amount(median(first.values[name]), FIGURES[name].unit)} to "
        f"{amount(median(last.values[name]), FIGURES[name].unit)}"
        for name in names
    ]
    return f"From {shown(first.name)} to {shown(last.name)} {', '.join(ways)}."


def _told(name: str, points: Sequence[Point], whole: Values) -> str:
    unit = FIGURES[name].unit

    def value(values: Sequence[float]) -> str:
        low, high = (amount(end, unit) for end in spread(values))
        return f"{amount(median(values), unit)} ({low} to {high})"

    told = ", ".join(
        f"{shown(point.name)} with {amount(point.chunk_bytes, Unit.BYTES)} a chunk "
        f"{value(point.values[name])}"
        for point in points
    )
    return f"{DRAWN[name]}: {told}; whole {value(whole[name])}."
