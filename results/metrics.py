"""What is measured: each metric's definition id, unit, direction and statistic, declared once.

A figure is one number for one trial. Its name is the metric's name and, where a trial has one value
a request, the statistic: ``ttfb_p50`` is the median over the trial's requests of ``ttfb``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

#: Responses that a window has to hold at least, for a median to rest on.
FEWEST_RESPONSES = 10


class Better(StrEnum):
    """The direction in which a figure improves."""

    LOWER = "lower"
    HIGHER = "higher"


class Unit(StrEnum):
    """The unit in which a figure is stored."""

    NANOSECONDS = "ns"
    BYTES = "B"
    BYTES_PER_SECOND = "B/s"
    PER_SECOND = "1/s"
    NANOSECONDS_PER_MEGABYTE = "ns/MB"
    SHARE = "1"


@dataclass(frozen=True, slots=True)
class Margin:
    """How much worse is still the same: the larger of a share of the baseline and ``least`` of the unit."""

    share: float
    least: float = 0.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One number a trial: what it is called, what it means, and which way is better.

    ``quantile`` is the quantile over the trial's requests, None where the trial has one value.
    ``fewest_requests`` is how many requests the trial needs for the figure; below, it is null.
    ``fewest_gated`` is how many verified requests a trial needs before a gate may rest on it. One that
    ``needs_schedule`` is null in a closed loop, where nobody says when a request was wanted. One that
    ``needs_others`` is null where nobody asks for anything beside the streams, and one that is ``of_pace``
    where the reader sets the pace: it would measure the reader. One that ``needs_end`` is null where clients
    leave in the middle, and one that ``needs_hang_up`` elsewhere.
    """

    name: str
    definition: str
    unit: Unit
    better: Better
    quantile: float | None = None
    fewest_requests: int = 1
    fewest_gated: int = 1
    needs_schedule: bool = False
    needs_others: bool = False
    of_pace: bool = False
    needs_end: bool = False
    needs_hang_up: bool = False

    @property
    def by_difference(self) -> bool:
        """Whether two arms are compared by difference: what may be nothing has no logarithm then."""
        return self.unit in {Unit.BYTES, Unit.SHARE}

    @property
    def scale(self) -> str:
        """In which two arms are compared: ratio, bytes, or share."""
        if not self.by_difference:
            return "ratio"
        return "bytes" if self.unit is Unit.BYTES else "share"

    @property
    def margin(self) -> Margin:
        """Within which two arms are the same, unless a suite sets its own."""
        if self.by_difference:
            return _MEMORY_MARGIN if self.unit is Unit.BYTES else _SHARE_MARGIN
        return _TAIL_MARGIN if self.quantile is not None and self.quantile > 0.5 else _MARGIN


#: Medians, rates and CPU; tails; memory; shares: one in a hundred.
_MARGIN = Margin(0.05)
_TAIL_MARGIN = Margin(0.10)
_MEMORY_MARGIN = Margin(0.03, least=2**20)
_SHARE_MARGIN = Margin(0.0, least=0.01)


def _quantiles(metric: str, definition: str, **needs: bool) -> list[Figure]:
    p50 = Figure(f"{metric}_p50", definition, Unit.NANOSECONDS, Better.LOWER, 0.5, **needs)
    p95 = Figure(f"{metric}_p95", definition, Unit.NANOSECONDS, Better.LOWER, 0.95, 20, 500, **needs)
    return [p50, p95]


_ALL = (
    *_quantiles("ttfb", "ttfb.body.v1"),
    *_quantiles("ttfb_effective", "ttfb_effective.body.v1", needs_schedule=True),
    *_quantiles("tthb", "tthb.headers.v1"),
    *_quantiles("ttfr", "ttfr.row.v1"),
    *_quantiles("ttlb", "ttlb.complete.v1", of_pace=True, needs_end=True),
    *_quantiles(
        "ttlb_effective", "ttlb_effective.complete.v1", needs_schedule=True, of_pace=True, needs_end=True
    ),
    *_quantiles("stall_max", "stall_max.reads.v1", of_pace=True, needs_end=True),
    *_quantiles("served_after", "served_after.hang_up.v1", needs_hang_up=True),
    Figure("unserved", "unserved.hang_up.v1", Unit.SHARE, Better.LOWER, needs_hang_up=True),
    Figure(
        "throughput",
        "throughput.window.v1",
        Unit.BYTES_PER_SECOND,
        Better.HIGHER,
        of_pace=True,
        needs_end=True,
    ),
    Figure(
        "requests_per_second",
        "requests_per_second.window.v1",
        Unit.PER_SECOND,
        Better.HIGHER,
        of_pace=True,
        needs_end=True,
    ),
    Figure("peak_memory", "peak_memory.growth.v1", Unit.BYTES, Better.LOWER),
    Figure("peak_rss", "peak_rss.worker.v1", Unit.BYTES, Better.LOWER),
    Figure("tree_pss", "tree_pss.sampled.v1", Unit.BYTES, Better.LOWER),
    Figure("retained", "retained.settled.v1", Unit.BYTES, Better.LOWER),
    Figure("peak_missed", "peak_missed.sampling.v1", Unit.BYTES, Better.LOWER),
    Figure("cpu_per_mb", "cpu_per_mb.tree.v1", Unit.NANOSECONDS_PER_MEGABYTE, Better.LOWER, needs_end=True),
    *_quantiles("others_ttlb", "others_ttlb.intended.v1", needs_others=True),
    *_quantiles("others_alone_ttlb", "others_alone_ttlb.intended.v1", needs_others=True),
    Figure("worker_held", "worker_held.silence.v1", Unit.NANOSECONDS, Better.LOWER, needs_others=True),
    Figure("others_unanswered", "others_unanswered.share.v1", Unit.SHARE, Better.LOWER, needs_others=True),
)

FIGURES: Mapping[str, Figure] = MappingProxyType({figure.name: figure for figure in _ALL})
