"""A slope over several series: the median of all pairwise slopes, and its exact interval.

Pairs are taken within a series only, so that the series need not be on one level. The interval is what
Kendall's test does not reject; the null distribution over several series is that of the sum of their
discordant pairs.

Sources: P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau" (1968); R. M. Hirsch,
J. R. Slack, R. A. Smith, "Techniques of trend analysis for monthly water quality data" (1982), for several
series; M. Hollander, D. A. Wolfe, E. Chicken, "Nonparametric Statistical Methods", 3rd ed. (2014), 9.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
#: A series: its places, all different, and the values there.
Series = tuple[Floats, Floats]


def slope(series: Sequence[Series]) -> float:
    """The median slope (value over place) of all pairs within a series; one has two points at least."""
    return float(np.median(_slopes(series)))


def interval(series: Sequence[Series], confidence: float) -> tuple[float, float] | None:
    """The interval of the slope: with at least this ``confidence`` (0 to 1) where the errors are independent.

    None where so few points cannot reach it: four of one series cannot reach 95%.
    """
    found = np.sort(_slopes(series))
    rank = critical_rank(tuple(len(places) for places, _ in series), confidence)
    return None if rank == 0 else (float(found[rank - 1]), float(found[-rank]))


@lru_cache(maxsize=256)
def critical_rank(sizes: tuple[int, ...], confidence: float) -> int:
    """Which pairwise slope, counted from either end, bounds the interval; 0 where none does.

    The largest r with P(D < r) at most half of what the confidence leaves, D being the number of discordant
    pairs in series of these sizes without a trend.
    """
    distribution = np.ones(1)
    for size in sizes:
        for choices in range(2, size + 1):  # the next point is behind 0 to choices - 1 of the earlier ones
            distribution = np.convolve(distribution, np.full(choices, 1 / choices))
    return int(np.searchsorted(np.cumsum(distribution), (1 - confidence) / 2, side="right"))


def _slopes(series: Sequence[Series]) -> Floats:
    found = []
    for places, values in series:
        first, second = np.triu_indices(len(places), 1)
        found.append((values[second] - values[first]) / (places[second] - places[first]))
    return np.concatenate(found)
