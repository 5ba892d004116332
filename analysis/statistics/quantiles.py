"""The interval of a quantile from its order statistics: no distribution is assumed.

Source: H. A. David and H. N. Nagaraja, "Order Statistics", 3rd ed. (2003), 7.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def interval(values: Sequence[float], quantile: float, confidence: float) -> tuple[float, float] | None:
    """Two of the values between which the quantile (0 to 1) lies with at least this ``confidence``.

    How many values lie below a quantile is binomial; each end leaves out at most half of what the confidence
    leaves. The values must be independent: requests of one trial are not. None where so few values cannot
    reach the confidence: fewer than 6 for a median at 95%, fewer than 72 for a p95.
    """
    from scipy import special  # type: ignore[import-untyped]  # noqa: PLC0415  - slow to import

    ordered = np.sort(np.asarray(values, np.float64))
    below = special.bdtr(np.arange(ordered.size), ordered.size, quantile)  # P(at most k values lie below)
    outside = (1 - confidence) / 2
    lower = int(np.searchsorted(below, outside, side="right")) - 1  # the last value with P(below it) small
    upper = int(np.searchsorted(below, 1 - outside, side="left"))
    if lower < 0 or upper >= ordered.size:
        return None
    return float(ordered[lower]), float(ordered[upper])


def p_more_than(share: float, count: int, total: int) -> float:
    """The one-sided p-value of "at most this share (0 to 1) of all would", when ``count`` of ``total`` did.

    The exact binomial test. With a hundred requests a p99 is one of them; this asks whether so many beyond a
    limit are more than chance lets be beyond a true p99.
    """
    from scipy import special  # noqa: PLC0415  - slow to import

    return float(special.bdtrc(count - 1, total, share)) if count else 1.0
