"""Paired t: for 5 to 7 blocks, with which the signed-rank test can hardly reject anything.

Source: "Student" (W. S. Gosset), "The probable error of a mean" (1908). It takes the differences for
normal, which nobody can check with so few: what rests on it is provisional.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np


def interval(differences: Sequence[float], confidence: float) -> tuple[float, float]:
    """The interval of the mean with this ``confidence`` (0 to 1), in the unit of the differences.

    Raises ValueError with fewer than two.
    """
    mean, error = _mean_and_error(differences)
    reach = quantile((1 + confidence) / 2, len(differences) - 1) * error
    return mean - reach, mean + reach


def p_greater(differences: Sequence[float]) -> float:
    """The one-sided p-value of "the mean is 0 or below". Raises ValueError with fewer than two.

    Differences that are all the same have no spread to judge by: ValueError too, for a p of 0 would be a lie.
    """
    from scipy import special  # type: ignore[import-untyped]  # noqa: PLC0415  - slow to import

    mean, error = _mean_and_error(differences)
    if error == 0:
        raise ValueError("differences that are all the same have no spread, and no t")
    return float(special.stdtr(len(differences) - 1, -mean / error))


@lru_cache(maxsize=256)
def quantile(probability: float, degrees: int) -> float:
    """The quantile of Student's t with so many degrees of freedom."""
    from scipy import special  # noqa: PLC0415  - slow to import

    return float(special.stdtrit(degrees, probability))


def _mean_and_error(differences: Sequence[float]) -> tuple[float, float]:
    if len(differences) < 2:
        raise ValueError("a paired t needs at least two differences")
    values = np.asarray(differences, np.float64)
    if np.all(values == values[0]):  # the mean of equal values may differ from them in the last digit
        return float(values[0]), 0.0
    return float(values.mean()), float(values.std(ddof=1)) / math.sqrt(values.size)
