"""Memory over response size: how many bytes a worker holds for each byte that it streams.

In each block the slope of peak memory over body length is that of Theil and Sen: the median of the slopes
between all pairs of sizes, which one size's outlier does not move. Over the blocks come the Hodges-Lehmann
estimate and the interval of the exact Wilcoxon signed-rank test.

Sources: H. Theil, "A rank-invariant method of linear and polynomial regression analysis" (1950);
P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau" (1968); M. Hollander, D. A. Wolfe,
E. Chicken, "Nonparametric Statistical Methods", 3rd ed. (2014), 3.3.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from analysis.statistics.signed_rank import hodges_lehmann, interval
from analysis.summary import label_without, memory_resolution_bytes, valid_by_block
from results.case import SETTINGS, Case, Value
from results.run import Run

DEFINITION: Final = "memory_slope.sizes.v1"
#: A line through fewer sizes could hide a bend.
FEWEST_SIZES = 4
_CONFIDENCE = 0.95
#: Below, no signed-rank interval of 95% exists.
FEWEST_BLOCKS = 6
#: What may be called constant: less than one byte held for fifty that are streamed.
_CONSTANT_BELOW = 0.02


@dataclass(frozen=True, slots=True)
class MemorySlope:
    """Bytes of peak memory for each byte of body, over the sizes of one family of cases.

    ``sizes_bytes`` are the lengths of the bodies, ascending; ``blocks`` is in how many all of them are
    valid. ``low`` and ``high`` are the 95% interval, null with fewer than six blocks. ``peaks_bytes`` holds,
    for each of these blocks, the peak of each size.
    """

    label: str
    axis: str
    sizes_bytes: Sequence[int]
    blocks: int
    slope: float
    low: float | None
    high: float | None
    peaks_bytes: Sequence[Sequence[float]]

    @property
    def constant(self) -> bool:
        """Whether memory was shown not to grow with the response."""
        return self.low is not None and self.high is not None and self.low <= 0 <= self.high < _CONSTANT_BELOW


def memory_slopes(run: Run) -> list[MemorySlope]:
    """The slope of each family of the run's cases that differ in one axis only, and so in their length.

    A family without a block in which all of its trials are valid has none.
    """
    found = (_slope(run, axis, family) for axis, family in _families(run))
    return [slope for slope in found if slope is not None]


def theil_sen(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The median slope of values over sizes between all pairs; sizes must differ."""
    pairs = itertools.combinations(zip(sizes, values, strict=True), 2)
    return statistics.median(
        (later - earlier) / (large - small) for (small, earlier), (large, later) in pairs
    )


def _families(run: Run) -> list[tuple[str, list[Case]]]:
    """(axis, its cases by length) wherever `FEWEST_SIZES` cases or more differ in it and in length alone."""
    timed = [case for case in run.header.cases if case.identity in run.verifications]
    alike: dict[tuple[str, tuple[tuple[str, Value], ...]], list[Case]] = {}
    for case in timed:
        if case.expect_failure:
            continue
        for axis in case.parameters:
            if axis not in {"target", "form", *SETTINGS}:
                rest = tuple(sorted(item for item in case.parameters.items() if item[0] != axis))
                alike.setdefault((axis, rest), []).append(case)
    families = []
    for (axis, _), cases in alike.items():
        lengths = {_length(run, case) for case in cases}
        if len(lengths) == len(cases) >= FEWEST_SIZES:
            families.append((axis, sorted(cases, key=lambda case: _length(run, case))))
    return families


def _slope(run: Run, axis: str, family: Sequence[Case]) -> MemorySlope | None:
    sizes = [_length(run, case) for case in family]
    blocks = _peaks_by_block(run, family)
    slopes = [theil_sen(sizes, peaks) for peaks in blocks]
    if not slopes:
        return None
    slope = hodges_lehmann(slopes)
    low, high = None, None
    if (ends := interval(slopes, _CONFIDENCE)) is not None:
        low, high = ends
        resolution = memory_resolution_bytes(run) / (sizes[-1] - sizes[0])
        low, high = min(low, slope - resolution), max(high, slope + resolution)
    label = label_without(run, family[0], axis)
    return MemorySlope(label, axis, sizes, len(slopes), slope, low, high, blocks)


def _peaks_by_block(run: Run, family: Sequence[Case]) -> list[list[float]]:
    """The peaks of all sizes (bytes), of each block in which every one of them is valid."""
    trials = [valid_by_block(run, case.identity) for case in family]
    blocks = sorted(set.intersection(*(set(by_block) for by_block in trials)))
    peaks = [[by_block[block].figures.get("peak_memory") for by_block in trials] for block in blocks]
    return [[peak for peak in block if peak is not None] for block in peaks if None not in block]


def _length(run: Run, case: Case) -> int:
    return run.verifications[case.identity].body_bytes
