"""The paired t, against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from analysis.statistics.paired_t import interval, p_greater, quantile
from analysis.statistics.signed_rank import hodges_lehmann

SPREAD = st.lists(st.integers(-1000, 1000).map(float), min_size=5, max_size=7).filter(
    lambda values: len(set(values)) > 1
)


@given(SPREAD)
def test_it_is_scipy_s(differences: list[float]) -> None:
    theirs = stats.ttest_1samp(differences, 0, alternative="greater").pvalue
    assert p_greater(differences) == pytest.approx(float(theirs), rel=1e-9, abs=1e-15)
    reach = stats.ttest_1samp(differences, 0).confidence_interval(0.9)
    assert interval(differences, 0.9) == pytest.approx((reach.low, reach.high), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("degrees", "published"), [(4, 2.776), (5, 2.571), (6, 2.447)])
def test_the_quantile_is_the_published_one(degrees: int, published: float) -> None:
    assert quantile(0.975, degrees) == pytest.approx(published, abs=5e-4)


@given(SPREAD, st.sampled_from([0.9, 0.95]))
def test_the_interval_holds_even_the_estimate_by_ranks(differences: list[float], confidence: float) -> None:
    low, high = interval(differences, confidence)
    assert low - 1e-9 <= hodges_lehmann(differences) <= high + 1e-9


def test_95_of_100_intervals_hold_the_truth() -> None:
    rng = np.random.default_rng(6)
    held = [low <= 0 <= high for low, high in (interval(row, 0.95) for row in rng.normal(0, 1, (2000, 5)))]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


def test_without_a_spread_there_is_no_t() -> None:
    assert interval([0.1] * 5, 0.95) == (0.1, 0.1)
    with pytest.raises(ValueError, match="no spread"):
        p_greater([0.1] * 5)
    with pytest.raises(ValueError, match="at least two"):
        interval([1.0], 0.95)
