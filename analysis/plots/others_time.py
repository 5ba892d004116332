"""What small requests waited, alone and beside streams, over one trial of each form and server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots.drawing import Look, drawn, in_unit, legend, plain, shown
from analysis.plots.picture import Picture
from analysis.table import amount
from results.metrics import Unit

_MOST_POINTS = 150
_MARKER_SIZE = 3.5


@dataclass(frozen=True, slots=True)
class Waits:
    """The small requests of one trial: when each was wanted (ns since the first stream began), and its wait.

    One that is not ``answered`` waited for the whole patience. ``open_ns`` and ``close_ns`` are the window's.
    """

    name: str
    wanted_ns: npt.NDArray[np.int64]
    waits_ns: npt.NDArray[np.int64]
    answered: npt.NDArray[np.bool_]
    open_ns: int
    close_ns: int


@dataclass(frozen=True, slots=True)
class Panel:
    """One server: the trials that are drawn over each other."""

    server: str
    trials: Sequence[tuple[Waits, Look]]


def others_over_time(name: str, title: str, panels: Sequence[Panel]) -> Picture:
    """A panel for each server, all with the same axes."""
    return drawn(
        name,
        title,
        "Each mark is a small request, at the instant when it was wanted; the higher, the longer it waited. "
        "Left of the line there is no stream yet; the window is shaded. A cross at the top had no answer and "
        "was given up. One trial of each form, the one with the median wait.",
        " ".join(_in_words(panel.server, waits) for panel in panels for waits, _ in panel.trials),
        height_in=3.4,
        draw=lambda figure: _draw(figure, panels),
    )


def _in_words(server: str, waits: Waits) -> str:
    before, after = (
        amount(float(np.median(values)), Unit.NANOSECONDS) if (values := waits.waits_ns[chosen]).size else "–"
        for chosen in (waits.wanted_ns < 0, waits.wanted_ns >= 0)
    )
    given_up = int((~waits.answered).sum())
    return (
        f"{shown(server)}, {shown(waits.name)}: half of the small requests waited {before} at most alone and "
        f"{after} beside the responses; {given_up} of {waits.answered.size} had no answer."
    )


def _draw(figure: Figure, panels: Sequence[Panel]) -> None:
    every = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for number, (axes, panel) in enumerate(zip(every, panels, strict=True)):
        plain(
            axes,
            title=shown(panel.server),
            x="wanted, since the first stream",
            y=None if number else "wait of a small request",
        )
        for waits, look in panel.trials:
            _draw_waits(axes, waits, look)
        waits, look = panel.trials[-1]
        axes.axvspan(waits.open_ns, waits.close_ns, color=look.colour, alpha=0.07, linewidth=0)
        axes.axvline(0, color=panel.trials[0][1].colour, linewidth=1.0)
    in_unit(every[0], "y", Unit.NANOSECONDS, log=True)
    for axes in every:
        in_unit(axes, "x", Unit.NANOSECONDS)
    trials = [(waits, look) for panel in panels for waits, look in panel.trials]
    looks = list(dict.fromkeys(look for _, look in trials))
    forms = {look: "the whole form" if look.role == "base" else "the stream" for look in looks}
    legend(figure, [forms[look] for look in looks], looks)


def _draw_waits(axes: Axes, waits: Waits, look: Look) -> None:
    kept = np.unique(np.linspace(0, len(waits.wanted_ns) - 1, _MOST_POINTS).astype(np.int64))
    wanted, waited, answered = waits.wanted_ns[kept], waits.waits_ns[kept], waits.answered[kept]
    axes.plot(
        wanted[answered],
        waited[answered],
        color=look.colour,
        marker=look.marker,
        markersize=_MARKER_SIZE,
        linestyle="none",
        fillstyle="none" if look.role == "base" else "full",
    )
    axes.plot(
        wanted[~answered], waited[~answered], color=look.colour, marker="x", markersize=5, linestyle="none"
    )
