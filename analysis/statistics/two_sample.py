"""Comparison of two samples that share no blocks: Hodges-Lehmann shift, exact Mann-Whitney test and interval.

Sources: H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is stochastically
larger than the other" (1947); J. L. Hodges and E. L. Lehmann (1963);
M. Hollander, D. A. Wolfe, E. Chicken, "Nonparametric Statistical Methods", 3rd ed. (2014), 4.1 to 4.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt


def shift(variant: Sequence[float], baseline: Sequence[float]) -> float:
    """How far the variant lies above the baseline: the median of all differences of two, in their unit.

    Needs at least one value on each side.
    """
    return float(np.median(_differences(variant, baseline)))


def p_greater(variant: Sequence[float], baseline: Sequence[float]) -> float:
    """The exact one-sided p-value of "the variant's values are no larger than the baseline's".

    Ties share their ranks; the distribution is that of these very ranks dealt out at random, so that the test
    is exact with them too. Raises ValueError when a side is empty.
    """
    if not len(variant) or not len(baseline):
        raise ValueError("a comparison needs at least one value on each side")
    values = np.concatenate([np.asarray(variant, np.float64), np.asarray(baseline, np.float64)])
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    doubled = (2 * np.cumsum(counts) - counts + 1)[inverse]  # twice the mid-ranks: whole numbers
    seen = int(doubled[: len(variant)].sum())
    ways = _rank_sums(tuple(sorted(int(rank) for rank in doubled)), len(variant))
    return float(ways[seen:].sum() / ways.sum())


def p_different(variant: Sequence[float], baseline: Sequence[float]) -> float:
    """The two-sided p-value: twice the smaller one-sided one, at most 1."""
    return min(1.0, 2 * p_greater(variant, baseline), 2 * p_greater(baseline, variant))


def interval(
    variant: Sequence[float], baseline: Sequence[float], confidence: float
) -> tuple[float, float] | None:
    """The interval of the shift that the Mann-Whitney test does not reject (P. K. Sen, 1963).

    Its ends are differences of two values, in their unit; it covers the shift with at least this
    ``confidence`` (0 to 1). None where so few values cannot reach it: fewer than 4 and 4 for 95%.
    """
    rank = critical_rank(len(variant), len(baseline), confidence)
    if rank == 0:
        return None
    ordered = np.sort(_differences(variant, baseline))
    return float(ordered[rank - 1]), float(ordered[-rank])


@lru_cache(maxsize=256)
def critical_rank(variant: int, baseline: int, confidence: float) -> int:
    """Which difference, counted from either end, bounds the interval for these sizes; 0 where none does.

    The largest k with P(U < k) at most half of what the confidence leaves.
    """
    ways = _rank_sums(tuple(range(1, variant + baseline + 1)), variant)
    tail = np.cumsum(ways[variant * (variant + 1) // 2 :]) / ways.sum()
    return int(np.searchsorted(tail, (1 - confidence) / 2, side="right"))


def _differences(variant: Sequence[float], baseline: Sequence[float]) -> npt.NDArray[np.float64]:
    above = np.asarray(variant, np.float64)[:, None] - np.asarray(baseline, np.float64)
    return above.ravel()


@lru_cache(maxsize=64)
def _rank_sums(ranks: tuple[int, ...], chosen: int) -> npt.NDArray[np.float64]:
    """In how many ways ``chosen`` of these ranks add up to each sum; the index is the sum.

    Whole numbers, exact up to 2**53 (28 values on each side), and to 16 digits beyond.
    """
    ways = np.zeros((chosen + 1, sum(ranks) + 1))
    ways[0, 0] = 1
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, :-rank].copy()
    last: npt.NDArray[np.float64] = ways[chosen]
    return last
