"""Paired comparison over blocks: Hodges-Lehmann estimate, exact Wilcoxon signed-rank test and interval.

Sources: J. L. Hodges and E. L. Lehmann, "Estimates of location based on rank tests" (1963);
M. Hollander, D. A. Wolfe, E. Chicken, "Nonparametric Statistical Methods", 3rd ed. (2014), 3.1 to 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

#: From here on by ranks; below, by a t whose assumption nobody can check.
FEWEST_RANKED = 8


def hodges_lehmann(differences: Sequence[float]) -> float:
    """The median of all Walsh averages, in the unit of the differences. Needs at least one."""
    return float(np.median(_walsh_averages(differences)))


def p_greater(differences: Sequence[float]) -> float:
    """The exact one-sided p-value of "the differences are centred at 0 or below".

    Zeros take part in the ranking and then speak for neither side (J. W. Pratt, 1959); ties share their
    ranks. The distribution is that of these very ranks under random signs, so that the test is exact
    with both. Raises ValueError without differences.
    """
    if not len(differences):
        raise ValueError("a test needs at least one difference")
    values = np.asarray(differences, dtype=np.float64)
    doubled = _doubled_ranks(np.abs(values))
    nonzero = values != 0
    statistic = int(doubled[values > 0].sum())
    counts = _sign_distribution(tuple(int(rank) for rank in doubled[nonzero]))
    return float(sum(counts[statistic:]) / 2 ** int(nonzero.sum()))


def interval(differences: Sequence[float], confidence: float) -> tuple[float, float] | None:
    """The interval of the centre that the signed-rank test does not reject (J. W. Tukey, 1949).

    Its ends are Walsh averages, in the unit of the differences. It covers the centre with at least this
    ``confidence`` (0 to 1), exactly so without ties, with more where there are some. None where so few
    differences cannot reach the confidence: fewer than 6 for 95%, fewer than 5 for 90%.
    """
    rank = critical_rank(len(differences), confidence)
    if rank == 0:
        return None
    averages = np.sort(_walsh_averages(differences))
    return float(averages[rank - 1]), float(averages[-rank])


@lru_cache(maxsize=256)
def critical_rank(blocks: int, confidence: float) -> int:
    """Which Walsh average, counted from either end, bounds the interval; 0 where none does.

    The largest k with P(T < k) at most half of what the confidence leaves, T being the sum of the positive
    ranks under random signs.
    """
    distribution = np.ones(1)
    for rank in range(1, blocks + 1):
        longer = np.zeros(distribution.size + rank)
        longer[: distribution.size] += distribution / 2
        longer[rank:] += distribution / 2
        distribution = longer
    return int(np.searchsorted(np.cumsum(distribution), (1 - confidence) / 2, side="right"))


def smallest_p(blocks: int) -> float:
    """The smallest p-value that `p_greater` can give with this many blocks: 2**-blocks."""
    return 2.0**-blocks


def _walsh_averages(differences: Sequence[float]) -> npt.NDArray[np.float64]:
    values = np.asarray(differences, dtype=np.float64)
    first, second = np.triu_indices(values.size)
    return (values[first] + values[second]) / 2


def _doubled_ranks(magnitudes: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Twice the mid-ranks, so that they are whole numbers."""
    _, inverse, counts = np.unique(magnitudes, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (2 * ends - counts + 1)[inverse].astype(np.int64)


@lru_cache(maxsize=256)
def _sign_distribution(doubled_ranks: tuple[int, ...]) -> tuple[int, ...]:
    """How many of the 2**n sign patterns give each sum of positive (doubled) ranks."""
    counts = [1]
    for rank in doubled_ranks:
        shifted = [0] * rank + counts
        counts = [
            (counts[index] if index < len(counts) else 0) + count for index, count in enumerate(shifted)
        ]
    return tuple(counts)
