"""The paired test and the estimate, against SciPy and against their definitions by brute force."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from analysis.statistics.signed_rank import critical_rank, hodges_lehmann, interval, p_greater, smallest_p

#: Few different values: ties and zeros are frequent.
COARSE = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=9)
FINE = st.lists(
    st.floats(-1e6, 1e6).filter(lambda value: abs(value) > 1e-6), min_size=1, max_size=12, unique_by=abs
)


def brute_force_p(differences: Sequence[float]) -> float:
    """The share of all sign patterns whose positive mid-ranks add up to what was seen, or to more."""
    magnitudes = [abs(value) for value in differences]
    ranks = [
        sum(other < own for other in magnitudes) + (1 + sum(other == own for other in magnitudes)) / 2
        for own in magnitudes
    ]
    seen = sum(rank for rank, value in zip(ranks, differences, strict=True) if value > 0)
    free = [rank for rank, value in zip(ranks, differences, strict=True) if value != 0]
    sums = [sum(itertools.compress(free, pattern)) for pattern in itertools.product([0, 1], repeat=len(free))]
    return sum(total >= seen for total in sums) / len(sums)


@given(COARSE)
def test_with_ties_and_zeros_it_is_the_share_of_sign_patterns(differences: list[float]) -> None:
    assert p_greater(differences) == brute_force_p(differences)


@given(FINE)
def test_without_ties_it_is_scipy_s_exact_test(differences: list[float]) -> None:
    theirs = stats.wilcoxon(differences, alternative="greater", method="exact").pvalue
    assert p_greater(differences) == pytest.approx(float(theirs), rel=1e-9)


def test_forty_blocks_are_exact_too() -> None:
    differences = np.random.default_rng(4).normal(0.2, 1, 40)
    theirs = stats.wilcoxon(differences, alternative="greater", method="exact").pvalue
    assert p_greater(list(differences)) == pytest.approx(float(theirs), rel=1e-9)


def test_a_textbook_example() -> None:
    # Hollander and Wolfe, table 3.1: depression scores of nine patients; T+ of the fall is 40
    before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    falls = [first - second for first, second in zip(before, after, strict=True)]
    assert p_greater(falls) == pytest.approx(10 / 512)
    assert hodges_lehmann(falls) == pytest.approx(0.46)


@pytest.mark.parametrize("blocks", [1, 5, 8, 10])
def test_all_blocks_on_one_side_give_the_smallest_p(blocks: int) -> None:
    assert p_greater([float(number + 1) for number in range(blocks)]) == smallest_p(blocks) == 0.5**blocks
    assert p_greater([-float(number + 1) for number in range(blocks)]) == 1


def test_no_difference_at_all_speaks_for_nothing() -> None:
    assert p_greater([0.0] * 8) == 1


def test_a_test_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one difference"):
        p_greater([])


@given(COARSE)
def test_the_two_sides_share_exactly_what_was_seen(differences: list[float]) -> None:
    negated = [-value for value in differences]
    assert p_greater(differences) + p_greater(negated) >= 1
    assert hodges_lehmann(negated) == -hodges_lehmann(differences)


@given(COARSE, st.randoms(use_true_random=False))
def test_the_order_of_the_blocks_does_not_matter(differences: list[float], random: object) -> None:
    mixed = list(differences)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert p_greater(mixed) == p_greater(differences)
    assert hodges_lehmann(mixed) == hodges_lehmann(differences)


@given(COARSE, st.sampled_from([0.25, 2.0, 1024.0]))
def test_a_change_of_unit_changes_the_estimate_alone(differences: list[float], factor: float) -> None:
    scaled = [value * factor for value in differences]
    assert p_greater(scaled) == p_greater(differences)
    assert hodges_lehmann(scaled) == hodges_lehmann(differences) * factor


@given(COARSE, st.integers(-8, 8))
def test_a_shift_moves_the_estimate_and_more_of_it_never_raises_p(
    differences: list[float], shift: int
) -> None:
    moved = [value + shift for value in differences]
    assert hodges_lehmann(moved) == hodges_lehmann(differences) + shift
    if shift >= 0:
        assert p_greater(moved) <= p_greater(differences)


@given(COARSE)
def test_the_estimate_is_the_median_of_all_averages_of_two(differences: list[float]) -> None:
    pairs = itertools.combinations_with_replacement(differences, 2)
    expected = statistics.median((first + second) / 2 for first, second in pairs)
    assert math.isclose(hodges_lehmann(differences), expected, abs_tol=1e-12)


@pytest.mark.parametrize(
    ("blocks", "published"), [(5, None), (6, 0), (7, 2), (8, 3), (10, 8), (15, 25), (20, 52), (25, 89)]
)
def test_the_critical_value_is_the_published_one(blocks: int, published: int | None) -> None:
    # Wilcoxon's table as every textbook has it: two-sided 0.05, reject at T of this or less
    assert critical_rank(blocks, 0.95) == (0 if published is None else published + 1)


def test_a_textbook_interval() -> None:
    # Hollander and Wolfe, example 3.3, on the differences of table 3.1: 96% with nine patients
    falls = [0.952, -0.147, 1.022, 0.430, 0.620, 0.590, 0.490, -0.080, 0.010]
    assert interval(falls, 0.95) == pytest.approx((0.01, 0.786))


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("blocks", [8, 9, 12])
def test_its_coverage_over_all_signs_is_what_was_asked_for(blocks: int, confidence: float) -> None:
    magnitudes = [3.0**number for number in range(blocks)]
    held = rejected_further_in = 0
    for signs in itertools.product([-1, 1], repeat=blocks):
        differences = [sign * magnitude for sign, magnitude in zip(signs, magnitudes, strict=True)]
        ends = interval(differences, confidence)
        assert ends is not None
        held += ends[0] <= 0 <= ends[1]
        positive = sum(rank + 1 for rank, sign in enumerate(signs) if sign > 0)
        rejected_further_in += positive <= critical_rank(blocks, confidence)
    assert held / 2**blocks >= confidence
    assert 1 - 2 * rejected_further_in / 2**blocks < confidence


@given(st.lists(st.integers(-9, 9).map(float), min_size=6, max_size=12), st.sampled_from([0.9, 0.95]))
def test_the_interval_is_what_the_test_does_not_reject(differences: list[float], confidence: float) -> None:
    ends = interval(differences, confidence)
    assert ends is not None
    assert ends[0] <= hodges_lehmann(differences) <= ends[1]
    if len(set(map(abs, differences))) == len(differences) and 0 not in differences:
        rejects = (
            min(p_greater(differences), p_greater([-own for own in differences])) <= (1 - confidence) / 2
        )
        assert rejects is not (ends[0] <= 0 <= ends[1])
    turned = interval([-value for value in differences], confidence)
    assert turned == (-ends[1], -ends[0])
    assert interval([8 * value for value in differences], confidence) == (8 * ends[0], 8 * ends[1])


def test_many_blocks_have_an_interval() -> None:
    differences = list(np.random.default_rng(9).normal(1, 1, 300))
    ends = interval(differences, 0.95)
    assert ends is not None
    assert ends[0] < hodges_lehmann(differences) < ends[1]
    assert ends[1] - ends[0] == pytest.approx(2 * 1.96 * math.sqrt(math.pi / 3 / 300), rel=0.1)


def test_too_few_have_no_interval() -> None:
    assert interval([1.0] * 5, 0.95) is None
    assert interval([1.0] * 4, 0.9) is None
    assert interval([], 0.5) is None
