"""Memory over time in two timed trials: what sampling saw, and the kernel's mark that it did not reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from analysis.plots.drawing import LOOKS, WHOLE, Look, drawn, in_unit, legend, plain, shown
from analysis.plots.picture import Picture
from analysis.table import amount
from results.metrics import Unit
from results.records import MemorySample

_MOST_POINTS = 800


@dataclass(frozen=True, slots=True)
class Growth:
    """The worker of one trial that grew most.

    ``samples`` are its RSS by time; ``reset_bytes`` its RSS when the kernel's mark was reset; ``mark_bytes``
    that mark at the end, or a sample that lies above it, since the kernel counts in batches. ``opened_ns``
    and ``closed_ns`` are the window's.
    """

    name: str
    samples: Sequence[MemorySample]
    reset_bytes: int
    mark_bytes: int
    opened_ns: int
    closed_ns: int

    @property
    def peak_bytes(self) -> int:
        """By how much it grew, by the kernel's mark."""
        return self.mark_bytes - self.reset_bytes

    @property
    def missed_bytes(self) -> int:
        """What sampling did not see of it."""
        return self.mark_bytes - max(sample.rss_bytes for sample in self.samples)


def memory_over_time(name: str, title: str, whole: Growth | None, streamed: Growth) -> Picture:
    """The growth of the worker since the reset, for one trial of each form."""
    shown_ones = [(item, look) for item, look in ((whole, WHOLE), (streamed, LOOKS[0])) if item is not None]
    most = max((item for item, _ in shown_ones), key=lambda item: item.missed_bytes)
    return drawn(
        name,
        title,
        f"The straight lines are the kernel's high-water marks; the window is shaded. {_what_to_see(most)}",
        " ".join(
            f"{shown(item.name)}: the worker grew by {amount(item.peak_bytes, Unit.BYTES)} at its peak; "
            f"{len(item.samples):,} samples missed {amount(item.missed_bytes, Unit.BYTES)} of it."
            for item, _ in shown_ones
        ),
        height_in=3.3,
        draw=lambda figure: _draw(figure, shown_ones),
    )


def _what_to_see(most: Growth) -> str:
    if not most.missed_bytes:
        return "In these trials the samples saw the peaks too."
    return (
        f"{amount(most.missed_bytes, Unit.BYTES)} of the peak of {shown(most.name)} lie between two samples, "
        "where sampling alone would have missed them."
    )


def _draw(figure: Figure, items: Sequence[tuple[Growth, Look]]) -> None:
    axes = figure.subplots()
    plain(axes, x="time since the window opened", y="growth of the worker")
    for item, look in items:
        kept = np.unique(np.linspace(0, len(item.samples) - 1, _MOST_POINTS).astype(np.int64))
        samples = [item.samples[at] for at in kept]
        times = [sample.at_ns - item.opened_ns for sample in samples]
        axes.plot(
            times,
            [sample.rss_bytes - item.reset_bytes for sample in samples],
            color=look.colour,
            linestyle=look.dash,
            linewidth=1.5,
        )
        axes.axhline(item.peak_bytes, color=look.colour, linewidth=1.0)
    item, look = items[-1]
    axes.axvspan(0, item.closed_ns - item.opened_ns, color=look.colour, alpha=0.07, linewidth=0)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    in_unit(axes, "x", Unit.NANOSECONDS)
    in_unit(axes, "y", Unit.BYTES)
    names = [
        f"{shown(item.name)}: {amount(item.missed_bytes, Unit.BYTES)} of "
        f"{amount(item.peak_bytes, Unit.BYTES)} unseen"
        for item, _ in items
    ]
    legend(figure, names, [look for _, look in items], markers=False)
