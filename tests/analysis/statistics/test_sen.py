"""Slopes over several series, held against SciPy, a published null distribution, and simulated noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from analysis.statistics.sen import Series, critical_rank, interval, slope


def noisy(rng: np.random.Generator, size: int, trend: float) -> Series:
    places = np.sort(rng.uniform(0, 10, size))
    return places, trend * places + rng.normal(0, 1, size)


def test_of_one_series_it_is_scipy_s() -> None:
    rng = np.random.default_rng(3)
    for size in (5, 8, 20):
        places, values = noisy(rng, size, 2.0)
        assert slope([(places, values)]) == pytest.approx(stats.theilslopes(values, places).slope)


@pytest.mark.parametrize("size", [5, 6, 8])
def test_of_one_series_the_rank_is_that_of_kendall_s_exact_distribution(size: int) -> None:
    """By all permutations: how many pairs are discordant without a trend."""
    rank = critical_rank((size,), 0.95)

    def at_most(discordant: int) -> float:
        tau = 1 - 4 * discordant / (size * (size - 1))
        order = _with_discordant(size, discordant)
        found = stats.kendalltau(range(size), order, method="exact", alternative="greater")
        assert found.statistic == pytest.approx(tau)
        return float(found.pvalue)

    assert at_most(rank - 1) <= 0.025 < at_most(rank)


def _with_discordant(size: int, discordant: int) -> list[int]:
    """A permutation with so many discordant pairs."""
    order: list[int] = []
    for value in range(size):
        behind = min(discordant, value)
        order.insert(value - behind, value)
        discordant -= behind
    return order


def test_few_points_have_no_interval_alone_and_one_together() -> None:
    rng = np.random.default_rng(5)
    assert interval([noisy(rng, 4, 1.0)], 0.95) is None
    found = interval([noisy(rng, 4, 1.0) for _ in range(3)], 0.95)
    assert found is not None
    assert found[0] < found[1]


def test_the_interval_covers_as_often_as_it_says_whatever_the_levels_of_the_series() -> None:
    rng = np.random.default_rng(7)
    runs, covered = 600, 0
    for _ in range(runs):
        series = [noisy(rng, 8, 0.3) for _ in range(3)]
        series = [(places, values + rng.normal(0, 100)) for places, values in series]
        found = interval(series, 0.95)
        assert found is not None
        covered += found[0] <= 0.3 <= found[1]
    assert 0.93 <= covered / runs <= 0.99
