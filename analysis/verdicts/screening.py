"""Screening: which of many differences that no gate names would stand among so many looks at once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from analysis.statistics.multiple import benjamini_hochberg
from analysis.statistics.signed_rank import p_greater
from analysis.verdicts.gate import Pair
from analysis.verdicts.scale import Scale
from results.metrics import Figure

Key = TypeVar("Key", bound=Hashable)


def p_beyond_margin(figure: Figure, pairs: Sequence[Pair]) -> float:
    """The two-sided p-value of "the difference lies within the figure's own margin".

    Twice the smaller of the exact signed-rank test's two, at most 1. Needs at least one pair, and no value of
    0 where ratios are compared.
    """
    scale = Scale.over(figure, pairs, figure.margin)
    differences = [scale.difference(pair) for pair in pairs]
    above = p_greater([difference - scale.margin for difference in differences])
    below = p_greater([-difference - scale.margin for difference in differences])
    return min(1.0, 2 * above, 2 * below)


def corrected(raw: Mapping[Key, float]) -> dict[Key, float]:
    """Benjamini and Hochberg's corrected p-values by the same keys; named are those at most `SCREENING_Q`."""
    return dict(zip(raw, benjamini_hochberg(list(raw.values())), strict=True))
