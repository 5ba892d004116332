"""Intervals of quantiles, against SciPy and by exact coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from analysis.statistics.quantiles import interval

VALUES = st.lists(st.integers(-1000, 1000).map(float), min_size=80, max_size=100)


def coverage(values: int, quantile: float, lower: int, upper: int) -> float:
    """P(lower-th value <= quantile <= upper-th): of so many values, lower to upper - 1 lie below it."""
    return sum(
        math.comb(values, below) * quantile**below * (1 - quantile) ** (values - below)
        for below in range(lower, upper)
    )


@pytest.mark.parametrize("quantile", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("number", [72, 100, 173])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_its_coverage_is_what_was_asked_for_and_no_narrower_one_s_is(
    quantile: float, number: int, confidence: float
) -> None:
    ends = interval([float(place + 1) for place in range(number)], quantile, confidence)
    assert ends is not None
    lower, upper = map(int, ends)
    assert coverage(number, quantile, lower, upper) >= confidence
    outside = (1 - confidence) / 2
    assert coverage(number, quantile, 0, lower + 1) > outside  # one place further in leaves out too much
    assert coverage(number, quantile, upper - 1, number + 1) > outside


@pytest.mark.parametrize(("number", "places"), [(6, (1, 6)), (10, (2, 9)), (20, (6, 15)), (50, (18, 33))])
def test_a_median_s_places_are_the_published_ones(number: int, places: tuple[int, int]) -> None:
    # the table of the sign test's interval, as in Conover, "Practical Nonparametric Statistics", 3.2
    assert interval([float(place + 1) for place in range(number)], 0.5, 0.95) == places


@given(VALUES, st.sampled_from([0.5, 0.9, 0.95]))
def test_it_is_scipy_s(values: list[float], quantile: float) -> None:
    ours = interval(values, quantile, 0.95)
    sided = [
        stats.quantile_test(values, q=0, p=quantile, alternative=side).confidence_interval(0.975)
        for side in ("greater", "less")
    ]
    assert ours == (sided[0].low, sided[1].high)


@given(VALUES)
def test_a_change_of_sign_turns_it_round(values: list[float]) -> None:
    ends, negated = interval(values, 0.5, 0.9), interval([-value for value in values], 0.5, 0.9)
    assert ends is not None
    assert negated == (-ends[1], -ends[0])
    assert ends[0] <= np.median(values) <= ends[1]


@pytest.mark.parametrize(("quantile", "enough"), [(0.5, 6), (0.95, 72)])
def test_too_few_have_none(quantile: float, enough: int) -> None:
    assert interval([float(place) for place in range(enough)], quantile, 0.95) is not None
    assert interval([float(place) for place in range(enough - 1)], quantile, 0.95) is None
    assert interval([], quantile, 0.95) is None
