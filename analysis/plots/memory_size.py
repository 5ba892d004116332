"""Peak memory over response size: does a worker hold more, the more it sends?"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from matplotlib.figure import Figure

from analysis.plots.drawing import LOOKS, WHOLE, Look, drawn, in_unit, legend, plain, shown
from analysis.plots.picture import Picture
from analysis.slope import MemorySlope
from analysis.table import amount
from results.metrics import Unit


def memory_over_size(name: str, title: str, slopes: Sequence[MemorySlope]) -> Picture:
    """A line for each family of sizes: medians, with a small mark for each block."""
    told = "; ".join(f"{shown(slope.label)}: {in_words(slope)}" for slope in slopes)
    return drawn(
        name,
        title,
        "A flat line is constant memory, however long the response; a steep one is a body held whole. "
        f"{told}.",
        " ".join(_figures(slope) for slope in slopes),
        height_in=3.4,
        draw=lambda figure: _draw(figure, slopes),
    )


def in_words(slope: MemorySlope) -> str:
    """Bytes held for each byte sent, with the interval."""
    line = f"{slope.slope:z.3f} B held for each byte"
    if slope.low is not None:
        line += f" ({slope.low:z.3f} to {slope.high:z.3f})"
    return f"{line}, constant" if slope.constant else line


def _draw(figure: Figure, slopes: Sequence[MemorySlope]) -> None:
    axes = figure.subplots()
    plain(axes, x="length of the response", y="peak memory of the worker")
    looks: list[Look] = []
    streams = 0
    for slope in slopes:
        whole = "whole" in slope.label.split()
        look = WHOLE if whole and WHOLE not in looks else LOOKS[streams % len(LOOKS)]
        streams += look is not WHOLE
        looks.append(look)
        for peaks in slope.peaks_bytes:
            axes.plot(
                slope.sizes_bytes,
                peaks,
                color=look.colour,
                linestyle="none",
                marker=".",
                markersize=3,
                alpha=0.6,
            )
        axes.plot(
            slope.sizes_bytes,
            [statistics.median(peaks) for peaks in zip(*slope.peaks_bytes, strict=True)],
            color=look.colour,
            linestyle=look.dash,
            marker=look.marker,
            markersize=4.5,
            linewidth=1.6,
        )
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    in_unit(axes, "x", Unit.BYTES)
    in_unit(axes, "y", Unit.BYTES)
    legend(figure, [shown(slope.label) for slope in slopes], looks)


def _figures(slope: MemorySlope) -> str:
    points = ", ".join(
        f"{amount(statistics.median(peaks), Unit.BYTES)} for {amount(size, Unit.BYTES)}"
        for size, peaks in zip(slope.sizes_bytes, zip(*slope.peaks_bytes, strict=True), strict=True)
    )
    return f"{shown(slope.label)}, medians over {slope.blocks} blocks: {points}; {in_words(slope)}."
