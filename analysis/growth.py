"""Whether a server's memory grows under a steady load: what it retains for each response, over a long window.

The window is cut into equal parts, and of each the least memory counts (`analysis.trial.floors`):
neighbouring samples are alike, the floors of long parts hardly. The first third is the warm-up of allocators
and caches, and left out. How often the verdicts err is in docs/accuracy.md.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from analysis.statistics import sen, signed_rank
from analysis.summary import labels
from analysis.table import amount
from analysis.trial.floors import PARTS
from results.case import Case
from results.floors import MemoryFloor
from results.metrics import Unit
from results.run import Run, TrialSummary

DEFINITION: Final = "retained_slope.floors.v1"
#: The parts that are left out as warm-up.
WARMUP_PARTS: Final = PARTS // 3
#: A server that retains less than this for each response does not grow, for all that matters.
MARGIN_BYTES: Final = 1024
#: So much may be retained before a worker's memory shows it: CPython takes memory for small objects in arenas
#: of this size (Objects/obmalloc.c), and fills one before it takes the next.
ARENA_BYTES: Final = 2**20
_CONFIDENCE = 0.95
#: The confidence at which the interval must lie below the margin, as where two arms are called the same.
_CONFIDENCE_SAME = 0.90
#: With so many trials their slopes are judged, which the noise within a trial cannot narrow.
FEWEST_TRIALS = 6
#: Growth whose second half is slower than this share of its first may be a warm-up that is not over.
_SLOWING = 2 / 3
_LONGEST = 100


class Growth(StrEnum):
    """What a soak says of a case."""

    GROWS = "grows"
    DOES_NOT = "does not grow"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class MemoryGrowth:
    """What the server retained for each response of a case, in bytes, over ``trials`` windows.

    ``low`` and ``high`` are the 95% interval; ``per_hour`` is the slope at the rate of these windows. The
    trials of a whole form's second measurement are counted in.
    """

    label: str
    case: str
    trials: int
    slope: float
    low: float
    high: float
    per_hour: float
    verdict: Growth
    reason: str


def memory_growths(run: Run) -> list[MemoryGrowth]:
    """One for each case of a soak that has a valid trial whose window was sampled in all of its parts."""
    names = labels([case for case in run.header.cases if not case.expect_failure])
    windows = {
        case.identity: [fitted(trial.floors) for trial in soaked_trials(run, case)]
        for case in run.header.cases
    }
    return [
        growth_of(names[case.identity], case, windows[case.identity])
        for case in run.header.cases
        if windows[case.identity]
    ]


def soaked_trials(run: Run, case: Case) -> list[TrialSummary]:
    """The valid trials of a case, repeated ones too, whose memory floors bear a slope."""
    return [
        trial
        for trial in run.trials
        if trial.slot.case == case.identity and trial.reason is None and _bears_a_slope(fitted(trial.floors))
    ]


def fitted(floors: Sequence[MemoryFloor]) -> Sequence[MemoryFloor]:
    """Those behind the warm-up."""
    return floors[WARMUP_PARTS:]


def series_of(floors: Sequence[MemoryFloor]) -> sen.Series:
    """Responses and bytes."""
    places = np.array([item.responses for item in floors], dtype=np.float64)
    return places, np.array([item.floor_bytes for item in floors], dtype=np.float64)


def growth_of(label: str, case: Case, windows: Sequence[Sequence[MemoryFloor]]) -> MemoryGrowth:
    """What these windows say, each without its warm-up."""
    series = [series_of(window) for window in windows]
    slope, low, high, most = _estimate(series)
    responses = statistics.median(float(places[-1] - places[0]) for places, _ in series)
    hidden = ARENA_BYTES * _workers(case) / responses
    low, high, most = min(low, slope - hidden), max(high, slope + hidden), max(most, slope + hidden)
    verdict, reason = _verdict(slope, low, most, slowing=_is_slowing(series))
    hours = statistics.median((window[-1].middle_ns - window[0].middle_ns) / 3.6e12 for window in windows)
    return MemoryGrowth(
        label, case.identity, len(windows), slope, low, high, slope * responses / hours, verdict, reason
    )


def _estimate(series: Sequence[sen.Series]) -> tuple[float, float, float, float]:
    """The slope, its interval, and the upper end of the interval that must lie below the margin."""
    if len(series) < FEWEST_TRIALS:
        wide, narrow = (sen.interval(series, level) for level in (_CONFIDENCE, _CONFIDENCE_SAME))
        slope = sen.slope(series)
    else:
        slopes = [sen.slope([one]) for one in series]
        wide, narrow = (signed_rank.interval(slopes, level) for level in (_CONFIDENCE, _CONFIDENCE_SAME))
        slope = signed_rank.hodges_lehmann(slopes)
    assert wide is not None  # noqa: S101  - eight points, or six slopes, reach both
    assert narrow is not None  # noqa: S101
    return slope, *wide, narrow[1]


def _bears_a_slope(window: Sequence[MemoryFloor]) -> bool:
    """Whether responses came in each of its parts."""
    return len({item.responses for item in window}) == len(window) > 0


def _is_slowing(series: Sequence[sen.Series]) -> bool:
    middle = len(series[0][0]) // 2
    first, second = (
        sen.slope([(places[part], values[part]) for places, values in series])
        for part in (slice(middle), slice(middle, None))
    )
    return second < _SLOWING * first


def _verdict(slope: float, low: float, most: float, *, slowing: bool) -> tuple[Growth, str]:
    margin = amount(MARGIN_BYTES, Unit.BYTES)
    if most < MARGIN_BYTES:
        return Growth.DOES_NOT, f"it is less than {margin} for each response"
    if low > MARGIN_BYTES and not slowing:
        return Growth.GROWS, f"it is more than {margin} for each response, and goes on to the end"
    if low > MARGIN_BYTES:
        return Growth.UNDECIDED, (
            "it grew ever more slowly, as while an allocator or a cache warms up: a longer window tells"
        )
    return (
        Growth.UNDECIDED,
        f"{margin} for each response lies within the interval: {_remedy(slope, low, most)}",
    )


def _remedy(slope: float, low: float, most: float) -> str:
    """How much longer a window would have to be, its interval being as much narrower."""
    below = slope < MARGIN_BYTES
    reach, room = (most - slope, MARGIN_BYTES - slope) if below else (slope - low, slope - MARGIN_BYTES)
    if room * _LONGEST < reach:
        return "the estimate lies too near to it for any window"
    longer = math.ceil(10 * reach / room) / 10
    return f"a window {longer:g} times as long would decide, if the estimate holds"


def _workers(case: Case) -> int:
    return int(case.parameters.get("workers", 1))
