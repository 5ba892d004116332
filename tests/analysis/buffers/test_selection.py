"""The rule over many sets of blocks at once is the rule over one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.buffers.selection import DRAWS, Measured, draws_of, selected, shares, stable_span
from analysis.statistics import paired_t, signed_rank
from analysis.statistics.stacked import Floats, hodges_lehmann, interval
from analysis.verdicts.gate import Pair
from analysis.verdicts.judgement import Kind, judge_pairs
from results.metrics import FIGURES


@st.composite
def stacks(draw: st.DrawFn) -> Floats:
    """Shape (3, sets, blocks)."""
    shape = (3, draw(st.integers(1, 4)), draw(st.integers(5, 12)))
    values = st.lists(
        st.floats(-1, 1, allow_subnormal=False), min_size=math.prod(shape), max_size=math.prod(shape)
    )
    return np.array(draw(values)).reshape(shape)


@given(stacks())
def test_each_set_has_the_estimate_and_the_interval_that_it_has_alone(stack: Floats) -> None:
    middles = hodges_lehmann(stack)
    for confidence in (0.90, 0.95):
        low, high = interval(stack, confidence)
        for place in np.ndindex(stack.shape[:-1]):
            alone = list(stack[place])
            middle = signed_rank.hodges_lehmann(alone)
            if len(alone) < 8:
                ends = paired_t.interval(alone, confidence)
                ends = min(ends[0], middle), max(ends[1], middle)
            else:
                ranked = signed_rank.interval(alone, confidence)
                assert ranked is not None
                ends = ranked
            assert middles[place] == pytest.approx(middle)
            assert (low[place], high[place]) == pytest.approx(ends, abs=1e-12)


@given(stacks(), st.sampled_from([None, 2e5]))
def test_the_rule_judges_a_first_byte_as_a_verdict_does(stack: Floats, error: float | None) -> None:
    ttfb = 1e6 * np.exp(stack)
    even = np.ones_like(ttfb)
    one_fast = even.copy()
    one_fast[0] = 0.5  # the smallest is too slow, and the first byte decides on the others
    chosen = selected(Measured(one_fast, ttfb, even, None, error))
    for number in range(ttfb.shape[1]):
        verdicts = [
            judge_pairs(
                FIGURES["ttfb_p50"],
                [Pair(*both) for both in zip(ttfb[size, number], ttfb[0, number], strict=True)],
                error=error,
            )
            for size in (1, 2)
        ]
        passing = [size for size, verdict in enumerate(verdicts, 1) if verdict.kind is not Kind.WORSE]
        assert chosen[number] == (passing[0] if passing else -1)


def test_shares_are_those_of_the_sets_that_can_be_drawn() -> None:
    """The second of five blocks has no memory told: a draw without it, of (4/5)**5, passes."""
    peaks = np.ones((2, 5))
    peaks[0, 1] = np.nan
    even = np.ones((2, 5))
    found, draws = shares(Measured(even, even, peaks, cap_bytes=1.0))
    assert draws == DRAWS
    assert found.sum() == 1
    assert found[0] == pytest.approx(0.8**5, abs=0.05)


def test_fewer_draws_are_made_only_of_very_many_blocks() -> None:
    assert draws_of(10, 20) == draws_of(10, 90) == DRAWS
    assert 100 < draws_of(10, 200) < DRAWS
    assert draws_of(10, 1000) == 100


@pytest.mark.parametrize(
    ("found", "choice", "span"),
    [
        ([0.1, 0.7, 0.2], 1, range(1, 2)),
        ([0.1, 0.5, 0.4], 1, range(1, 3)),
        ([0.4, 0.5, 0.1], 1, range(2)),
        ([0.35, 0.3, 0.35], 1, range(3)),
        ([0.1, 0.1, 0.8], 0, range(3)),
        ([0.0, 0.69, 0.0], 1, range(0)),
        ([0.3, 0.0, 0.4], 2, range(3)),
    ],
)
def test_a_range_is_the_fewest_neighbours_that_make_up_70_percent(
    found: list[float], choice: int, span: range
) -> None:
    assert stable_span(np.array(found), choice) == span
