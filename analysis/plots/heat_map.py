"""Servers by buffers: where each pair stands against its own whole form."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.plots.colours import light
from analysis.plots.drawing import drawn, plain, shown
from analysis.plots.picture import Picture
from analysis.table import times
from results.metrics import FIGURES, Better

#: The figures that are drawn, with what they are called.
DRAWN = {"ttfb_p50": "TTFB p50", "throughput": "throughput"}
#: Of more buffers than this the figures stand one above the other.
_MOST_BESIDE = 6
#: Oriented ratios (above 1 is worse) at which the shades of a cell change, best to worst.
_STEPS = {"ttfb_p50": (0.1, 0.4, 0.95, 1.05, 2.0, 5.0), "throughput": (0.7, 0.85, 0.95, 1.05, 1.3, 2.0)}


@dataclass(frozen=True, slots=True)
class Grid:
    """Ratios to the whole form by (server, buffer), for each figure of `DRAWN`; null where there is none.

    ``buffers`` are the values of ``knob``.
    """

    knob: str
    servers: Sequence[str]
    buffers: Sequence[str]
    ratios: Mapping[str, Mapping[tuple[str, str], float | None]]


def drawn_of(grid: Grid) -> Sequence[str]:
    """The figures of which any cell has a ratio: the others are left out."""
    return [name for name in DRAWN if any(ratio is not None for ratio in grid.ratios[name].values())]


def heat_map(name: str, title: str, grid: Grid) -> Picture:
    """One cell for each server and buffer, for each figure of `drawn_of`, which has to be one at least."""
    names = drawn_of(grid)
    rows = 1 if len(grid.buffers) <= _MOST_BESIDE else len(names)
    return drawn(
        name,
        title,
        "Blue cells are better than the whole form on the same server, orange ones worse, grey within 5%. "
        "Read along a row for the buffer, down a column for the server.",
        " ".join(_told(figure, grid) for figure in names),
        height_in=rows * (1.2 + 0.42 * len(grid.servers)),
        draw=lambda figure: _draw(figure, grid, names, rows),
    )


def _draw(figure: Figure, grid: Grid, names: Sequence[str], rows: int) -> None:
    panels = figure.subplots(rows, len(names) // rows, sharey=True, squeeze=False)
    for axes, name in zip(panels.flat, names, strict=True):
        plain(axes, title=f"{DRAWN[name]}, to the whole form", x=shown(grid.knob))
        _cells(axes, name, grid)
        axes.set_xticks(range(len(grid.buffers)), [shown(buffer) for buffer in grid.buffers])
        axes.set_yticks(range(len(grid.servers)), [shown(row) for row in grid.servers])


def _cells(axes: Axes, name: str, grid: Grid) -> None:
    axes.grid(visible=False)
    axes.set_xlim(-0.5, len(grid.buffers) - 0.5)
    axes.set_ylim(len(grid.servers) - 0.5, -0.5)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for row, server in enumerate(grid.servers):
        for column, buffer in enumerate(grid.buffers):
            ratio = grid.ratios[name].get((server, buffer))
            axes.add_patch(
                Rectangle(
                    (column - 0.48, row - 0.46),
                    0.96,
                    0.92,
                    facecolor=light(_shade(name, ratio)),
                    linewidth=0,
                )
            )
            axes.text(column, row, times(ratio), ha="center", va="center", color=light("ink"))


def _shade(name: str, ratio: float | None) -> str:
    if ratio is None or not math.isfinite(ratio) or ratio <= 0:
        return "grid"
    oriented = ratio if FIGURES[name].better is Better.LOWER else 1 / ratio
    return f"heat{sum(oriented > step for step in _STEPS[name])}"


def _told(name: str, grid: Grid) -> str:
    cells = ", ".join(
        f"{shown(server)} with {shown(grid.knob)}={shown(buffer)} "
        f"{times(grid.ratios[name].get((server, buffer)))}"
        for server in grid.servers
        for buffer in grid.buffers
    )
    return f"{DRAWN[name]}: {cells}."
