"""Memory over a long window: what sampling saw, the floors of its parts, and the line through them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.growth import ARENA_BYTES, WARMUP_PARTS, Growth, MemoryGrowth, fitted, series_of
from analysis.growth_table import interval, signed
from analysis.plots.drawing import LOOKS, WHOLE, drawn, in_unit, legend, plain, shown
from analysis.plots.picture import Picture
from analysis.statistics import sen
from results.floors import MemoryFloor
from results.metrics import Unit
from results.records import MemorySample

Floats = npt.NDArray[np.float64]

#: Of a window a band is drawn, from the least to the most memory in each of so many steps.
_STEPS = 400


@dataclass(frozen=True, slots=True)
class Window:
    """One window: its samples, of all processes, and the floors of its parts. ``opened_ns`` is its begin."""

    samples: Sequence[MemorySample]
    floors: Sequence[MemoryFloor]
    opened_ns: int
    closed_ns: int


def memory_over_a_soak(
    name: str, title: str, growth: MemoryGrowth, windows: Sequence[Window], *, whole: bool
) -> Picture:
    """Each window of one case, one over the other, from its own level at the warm-up's end."""
    return drawn(
        name,
        title,
        f"{shown(growth.label)} retained {in_words(growth)}. The bars are the least memory in each part of "
        "the window, the line is drawn through those behind the warm-up, which is shaded; it bends where "
        "the responses came faster or slower.",
        f"{shown(growth.label)}: {in_words(growth)}, over {growth.trials} window"
        f"{'s' if growth.trials > 1 else ''}. "
        + " ".join(_told(number + 1, window) for number, window in enumerate(windows)),
        height_in=3.4,
        draw=lambda figure: _draw(figure, windows, whole=whole),
    )


def in_words(growth: MemoryGrowth) -> str:
    """The slope with its interval, an hour's, and the verdict."""
    verdict = growth.verdict if growth.verdict is not Growth.UNDECIDED else "it is undecided whether it grows"
    return (
        f"{signed(growth.slope)} for each response (95% interval {interval(growth)}), "
        f"{signed(growth.per_hour)} an hour: {verdict}, since {growth.reason}"
    )


def _told(number: int, window: Window) -> str:
    kept = fitted(window.floors)
    return (
        f"Window {number}: from {signed(kept[0].floor_bytes)} to {signed(kept[-1].floor_bytes)} in "
        f"{kept[-1].responses - kept[0].responses:,} responses."
    )


def _draw(figure: Figure, windows: Sequence[Window], *, whole: bool) -> None:
    axes = figure.subplots()
    plain(axes, x="time since the window opened", y="memory since the warm-up's end")
    looks = [WHOLE, *LOOKS] if whole else list(LOOKS)
    shown_ones = list(zip(windows, looks, strict=False))
    for window, look in shown_ones:
        kept = fitted(window.floors)
        level = kept[0].floor_bytes
        _band(axes, window, level, look.colour)
        middles = np.array([item.middle_ns - window.opened_ns for item in window.floors])
        half = (window.closed_ns - window.opened_ns) / len(window.floors) / 2
        axes.hlines(
            [item.floor_bytes - level for item in window.floors],
            middles - half,
            middles + half,
            color=look.colour,
            linewidth=2.2,
        )
        axes.plot(
            middles[WARMUP_PARTS:],
            _line(kept) - level,
            color=look.colour,
            linestyle=look.dash,
            marker=look.marker,
            markersize=4.5,
            linewidth=1.4,
        )
    first = windows[0]
    warm_ns = WARMUP_PARTS / len(first.floors) * (first.closed_ns - first.opened_ns)
    axes.axvspan(0, warm_ns, color=looks[0].colour, alpha=0.07, linewidth=0)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -ARENA_BYTES), max(high, ARENA_BYTES))  # noise is not to be drawn as mountains
    in_unit(axes, "x", Unit.NANOSECONDS)
    in_unit(axes, "y", Unit.BYTES)
    names = [f"window {number + 1}" for number in range(len(shown_ones))]
    legend(figure, names, [look for _, look in shown_ones])


def _line(floors: Sequence[MemoryFloor]) -> Floats:
    """The line of this window's own slope, through the median of what it leaves."""
    places, values = series_of(floors)
    slope = sen.slope([(places, values)])
    line: Floats = slope * places + np.median(values - slope * places)
    return line


def _band(axes: Axes, window: Window, level: int, colour: str) -> None:
    """From the least to the most memory in short steps: single samples could not be told apart."""
    edges = np.linspace(window.opened_ns, window.closed_ns, _STEPS + 1)
    by_process: dict[int, list[MemorySample]] = defaultdict(list)
    for sample in window.samples:
        by_process[sample.pid].append(sample)
    least, most = (
        np.sum([_of_steps(samples, edges, extreme) for samples in by_process.values()], axis=0)
        for extreme in (np.fmin, np.fmax)
    )
    middles = (edges[:-1] + edges[1:]) / 2 - window.opened_ns
    known = np.isfinite(least)
    axes.fill_between(
        middles[known], least[known] - level, most[known] - level, color=colour, alpha=0.35, linewidth=0.8
    )


def _of_steps(samples: Sequence[MemorySample], edges: Floats, extreme: np.ufunc) -> Floats:
    """The extreme of the memory in each step; NaN where there is no sample."""
    steps = np.searchsorted(edges, [sample.at_ns for sample in samples], side="right") - 1
    found = np.full(_STEPS, np.nan)
    inside = (steps >= 0) & (steps < _STEPS)
    rss = np.array([sample.rss_bytes for sample in samples], dtype=np.float64)
    extreme.at(found, steps[inside], rss[inside])
    return found
