"""What screening makes of many differences at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.verdicts.gate import Pair
from analysis.verdicts.screening import corrected, p_beyond_margin
from results.metrics import FIGURES

MIB = 2**20
POSITIVE = st.floats(1, 1e9)


def pairs(ratio: float, blocks: int = 8) -> list[Pair]:
    return [Pair(ratio * (100 + block), 100.0 + block) for block in range(blocks)]


def test_the_smallest_p_is_that_of_all_blocks_beyond_the_margin() -> None:
    assert p_beyond_margin(FIGURES["ttfb_p50"], pairs(1.06)) == 2 * 2**-8
    assert p_beyond_margin(FIGURES["ttfb_p50"], pairs(1.04)) == 1
    assert p_beyond_margin(FIGURES["ttfb_p50"], pairs(0.9)) == 2 * 2**-8
    # a tail's margin is 10%
    assert p_beyond_margin(FIGURES["ttfb_p95"], pairs(1.06)) == 1


def test_memory_is_screened_by_its_difference() -> None:
    figure = FIGURES["peak_memory"]
    assert p_beyond_margin(figure, [Pair(3.5 * MIB, 2 * MIB)] * 8) == 2 * 2**-8
    assert p_beyond_margin(figure, [Pair(2.5 * MIB, 2 * MIB)] * 8) == 1


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=12))
def test_swapping_the_arms_changes_nothing(values: list[tuple[float, float]]) -> None:
    figure = FIGURES["throughput"]
    there = p_beyond_margin(figure, [Pair(*both) for both in values])
    back = p_beyond_margin(figure, [Pair(*both[::-1]) for both in values])
    assert there == pytest.approx(back)


def test_the_correction_keeps_its_keys() -> None:
    raw = {"a": 0.01, "b": 0.9, "c": 0.02}
    assert corrected(raw) == pytest.approx({"a": 0.03, "b": 0.9, "c": 0.03})
    assert corrected({}) == {}
