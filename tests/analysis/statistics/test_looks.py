"""The level of several looks, against the published constants and against SciPy's normal integrals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from analysis.statistics.looks import LOOK_LEVEL, LOOKS, level_of_each, overall_level
from analysis.statistics.signed_rank import smallest_p


@pytest.mark.parametrize(
    ("looks", "published"), [(1, 0.05), (2, 0.0294), (3, 0.0221), (4, 0.0182), (5, 0.0158)]
)
def test_evenly_spaced_looks_have_pocock_s_published_levels(looks: int, published: float) -> None:
    evenly = [10 * (number + 1) for number in range(looks)]
    assert level_of_each(evenly, 0.05) == pytest.approx(published, abs=5e-5)


def test_our_looks_keep_the_level_together() -> None:
    assert 0.04 < overall_level(LOOKS, LOOK_LEVEL) <= 0.05
    assert level_of_each(LOOKS, 0.05) >= LOOK_LEVEL


def test_it_is_the_normal_integral() -> None:
    counts = np.array(LOOKS)
    correlation = np.sqrt(np.minimum.outer(counts, counts) / np.maximum.outer(counts, counts))
    bound = np.full(len(LOOKS), -stats.norm.ppf(LOOK_LEVEL / 2))
    inside = stats.multivariate_normal(cov=correlation, seed=1).cdf(bound, lower_limit=-bound)
    assert overall_level(LOOKS, LOOK_LEVEL) == pytest.approx(1 - float(inside), abs=2e-4)


def test_a_look_that_adds_hardly_anything_costs_hardly_anything() -> None:
    alone, twice = overall_level([100], 0.05), overall_level([100, 101], 0.05)
    assert alone == pytest.approx(0.05, abs=1e-6)
    assert alone < twice < 0.06


def test_the_first_look_can_be_significant() -> None:
    assert 2 * smallest_p(LOOKS[0]) <= LOOK_LEVEL < 2 * smallest_p(LOOKS[0] - 1)
