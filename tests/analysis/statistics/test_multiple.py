"""Corrections for many tests, against SciPy and by hand."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from analysis.statistics.multiple import benjamini_hochberg, holm


def test_holm_s_correction_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([0.04]) == [0.04]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_lowers_a_p_and_keeps_their_order(raw: list[float]) -> None:
    corrected = holm(raw)
    assert all(own <= after <= 1 for own, after in zip(raw, corrected, strict=True))
    for (one, first), (other, second) in itertools.combinations(zip(raw, corrected, strict=True), 2):
        assert (first <= second) if one <= other else (second <= first)


def test_benjamini_and_hochberg_s_own_example() -> None:
    # their paper (1995), section 4: fifteen p-values of a trial of thrombolysis; at q = 0.05 four are named
    published = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
        0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
    ]  # fmt: skip
    assert sum(q <= 0.05 for q in benjamini_hochberg(published)) == 4
    assert sum(p <= 0.05 for p in holm(published)) == 3


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_screening_is_scipy_s(raw: list[float]) -> None:
    theirs = stats.false_discovery_control(raw, method="bh")
    assert benjamini_hochberg(raw) == pytest.approx(list(theirs), rel=1e-12)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_screening_names_whatever_a_gate_would(raw: list[float]) -> None:
    for strict, lenient in zip(holm(raw), benjamini_hochberg(raw), strict=True):
        assert lenient <= strict * (1 + 1e-12)
