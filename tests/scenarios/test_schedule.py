"""Schedules: what they promise for every rate, span and seed."""

from __future__ import annotations

import itertools
import math
import statistics

from hypothesis import given
from hypothesis import strategies as st

from scenarios.schedule import Spacing, offsets_ns, schedule_seed

RATES = st.floats(0.01, 2000)
SPANS = st.floats(0, 5)
SPACINGS: st.SearchStrategy[Spacing] = st.sampled_from(["constant", "poisson"])
SEEDS = st.text(max_size=20)


@given(SPACINGS, RATES, SPANS, SEEDS)
def test_offsets_are_sorted_and_inside_the_span(
    spacing: Spacing, rate: float, span_s: float, seed: str
) -> None:
    offsets = offsets_ns(spacing, rate, span_s, seed)
    assert list(offsets) == sorted(offsets)
    assert all(0 <= offset < round(span_s * 1e9) for offset in offsets)


@given(RATES, SPANS)
def test_constant_spacing_is_exact_to_the_nanosecond_however_long(rate: float, span_s: float) -> None:
    offsets = offsets_ns("constant", rate, span_s, "")
    assert all(abs(offset - (number + 0.5) * 1e9 / rate) <= 1 for number, offset in enumerate(offsets))
    assert abs(len(offsets) - rate * span_s) <= 1


@given(SEEDS, RATES)
def test_a_seed_has_one_schedule_and_a_longer_trial_continues_it(seed: str, rate: float) -> None:
    short, long = offsets_ns("poisson", rate, 1.0, seed), offsets_ns("poisson", rate, 2.0, seed)
    assert short == offsets_ns("poisson", rate, 1.0, seed)
    assert long[: len(short)] == short


@given(st.integers(0, 2**31), st.integers(0, 1000), st.integers(0, 2**31), st.integers(0, 1000))
def test_each_block_of_each_run_has_a_seed_of_its_own(run: int, block: int, other: int, another: int) -> None:
    same = (run, block) == (other, another)
    assert (schedule_seed(run, block) == schedule_seed(other, another)) is same
    drawn = [offsets_ns("poisson", 100, 1, schedule_seed(*of)) for of in ((run, block), (other, another))]
    assert (drawn[0] == drawn[1]) is same


@given(st.integers(0, 2**31))
def test_poisson_gaps_have_the_mean_and_the_spread_of_the_exponential_distribution(seed: int) -> None:
    """Of 10,000: six standard errors, so that not one seed in a hundred million fails."""
    rate, count = 1000.0, 10_000
    offsets = offsets_ns("poisson", rate, count / rate, schedule_seed(seed, 0))
    assert abs(len(offsets) - count) < 6 * math.sqrt(count)
    gaps = [(later - earlier) * rate / 1e9 for earlier, later in itertools.pairwise(offsets)]
    assert abs(statistics.mean(gaps) - 1) < 6 / math.sqrt(count)
    # by the fourth central moment, which is 9, the estimate of the variance has a variance of (9 - 1) / n
    assert abs(statistics.variance(gaps) - 1) < 6 * math.sqrt(8 / count)
    above = sum(gap > 1 for gap in gaps) / len(gaps)
    assert abs(above - math.exp(-1)) < 6 * math.sqrt(0.25 / count)
