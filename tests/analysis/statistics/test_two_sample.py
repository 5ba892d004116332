"""The comparison of two samples, against SciPy, published tables, and their definitions by brute force."""

from __future__ import annotations

import itertools
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from analysis.statistics.two_sample import critical_rank, interval, p_different, p_greater, shift

#: Few different values: ties are frequent.
COARSE = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=5)
WHOLE = st.lists(st.integers(-1000, 1000).map(float), min_size=4, max_size=8)
#: Fifteen sizes or so, all values different.
DISTINCT = st.lists(st.integers(-10_000, 10_000).map(float), min_size=4, max_size=14, unique=True)


def brute_force_p(variant: list[float], baseline: list[float]) -> float:
    """The share of all ways to deal the values out that win as many of the pairs as was seen, or more."""
    pooled = variant + baseline

    def won(chosen: tuple[int, ...]) -> float:
        others = [index for index in range(len(pooled)) if index not in chosen]
        pairs = itertools.product(chosen, others)
        return sum((pooled[a] > pooled[b]) + (pooled[a] == pooled[b]) / 2 for a, b in pairs)

    seen = won(tuple(range(len(variant))))
    deals = list(itertools.combinations(range(len(pooled)), len(variant)))
    return sum(won(deal) >= seen for deal in deals) / len(deals)


@given(COARSE, COARSE)
@settings(max_examples=50, deadline=None)
def test_with_ties_it_is_the_share_of_deals(variant: list[float], baseline: list[float]) -> None:
    assert p_greater(variant, baseline) == pytest.approx(brute_force_p(variant, baseline), rel=1e-12)


@given(DISTINCT, st.integers(1, 3))
def test_without_ties_it_is_scipy_s_exact_test(values: list[float], cut: int) -> None:
    variant, baseline = values[:cut], values[cut:]
    for side, ours in (("greater", p_greater), ("two-sided", p_different)):
        theirs = stats.mannwhitneyu(variant, baseline, alternative=side, method="exact").pvalue
        assert ours(variant, baseline) == pytest.approx(float(theirs), rel=1e-9)


def test_fifty_a_side_are_exact_to_the_last_digits() -> None:
    rng = np.random.default_rng(5)
    variant, baseline = list(rng.normal(0.3, 1, 50)), list(rng.normal(0, 1, 50))
    theirs = stats.mannwhitneyu(variant, baseline, alternative="greater", method="exact").pvalue
    assert p_greater(variant, baseline) == pytest.approx(float(theirs), rel=1e-9)


@pytest.mark.parametrize(
    ("sizes", "critical"),
    [((4, 4), 0), ((5, 5), 2), ((5, 8), 6), ((8, 8), 13), ((10, 10), 23), ((20, 20), 127)],
)
def test_the_critical_value_is_the_published_one(sizes: tuple[int, int], critical: int) -> None:
    # Mann and Whitney's table as every textbook has it: two-sided 0.05, reject at U of this or less
    assert critical_rank(*sizes, 0.95) == critical + 1


def test_a_textbook_example() -> None:
    # Hollander and Wolfe, example 4.1: permeability of the amnion at term and early; shift 0.305
    term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    early = [1.15, 0.88, 0.90, 0.74, 1.21]
    assert shift(term, early) == pytest.approx(0.305)
    assert p_greater(term, early) == pytest.approx(0.1272, abs=5e-5)
    # their 95.04% interval
    assert critical_rank(10, 5, 0.95) == 9
    assert interval(term, early, 0.95) == pytest.approx((-0.15, 0.76))


@given(WHOLE, WHOLE)
def test_the_interval_holds_the_estimate_and_swapping_turns_all_round(
    variant: list[float], baseline: list[float]
) -> None:
    ends, swapped = interval(variant, baseline, 0.95), interval(baseline, variant, 0.95)
    assert ends is not None
    assert swapped is not None
    assert ends[0] <= shift(variant, baseline) <= ends[1]
    assert swapped == (-ends[1], -ends[0])
    assert shift(baseline, variant) == -shift(variant, baseline)
    assert p_different(variant, baseline) == p_different(baseline, variant)


@given(WHOLE, WHOLE, st.integers(-50, 50), st.sampled_from([0.25, 8.0]))
def test_a_change_of_unit_or_of_origin_changes_no_p(
    variant: list[float], baseline: list[float], origin: int, unit: float
) -> None:
    moved = [[unit * value + origin for value in side] for side in (variant, baseline)]
    assert p_greater(*moved) == p_greater(variant, baseline)
    assert shift(*moved) == unit * shift(variant, baseline)


@pytest.mark.parametrize(("ours", "theirs", "confidence"), [(4, 4, 0.95), (3, 5, 0.9), (5, 4, 0.8)])
def test_its_coverage_over_all_deals_is_what_was_asked_for(ours: int, theirs: int, confidence: float) -> None:
    values = [float(2**number) for number in range(ours + theirs)]  # all differences differ
    covered = []
    for deal in itertools.combinations(range(len(values)), ours):
        others = [values[index] for index in range(len(values)) if index not in deal]
        ends = interval([values[index] for index in deal], others, confidence)
        assert ends is not None
        covered.append(ends[0] <= 0 <= ends[1])
    assert statistics.mean(covered) >= confidence
    # one rank further in would be too narrow
    rank = critical_rank(ours, theirs, confidence)
    ways = [
        sum(a > b for a, b in itertools.product(deal, set(range(ours + theirs)) - set(deal)))
        for deal in itertools.combinations(range(ours + theirs), ours)
    ]
    assert 1 - 2 * statistics.mean(won <= rank for won in ways) < confidence


def test_too_few_have_no_interval_and_nobody_has_no_p() -> None:
    assert interval([1.0, 2.0, 3.0], [4.0, 5.0, 6.0], 0.95) is None
    with pytest.raises(ValueError, match="at least one value on each side"):
        p_greater([], [1.0])
    with pytest.raises(ValueError, match="at least one value on each side"):
        p_greater([1.0], [])
