"""The estimate and the interval of `analysis.verdicts.judgement` for many sets of blocks at once.

The last axis of each array is a set's blocks; what comes out has the axes before it. Each set's answer is
that of `analysis.statistics.signed_rank`, or below 8 blocks of `analysis.statistics.paired_t`.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from analysis.statistics import paired_t, signed_rank
from analysis.statistics.signed_rank import FEWEST_RANKED

Floats: TypeAlias = npt.NDArray[np.float64]


def hodges_lehmann(differences: Floats) -> Floats:
    """The median of all Walsh averages of each set, in the unit of the differences."""
    middle: Floats = np.median(_walsh_averages(differences), axis=-1, overwrite_input=True)
    return middle


def interval(differences: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Both ends of each set's interval, in the unit of the differences; it takes 5 blocks or more."""
    blocks = differences.shape[-1]
    if blocks < FEWEST_RANKED:
        return _t_interval(differences, confidence)
    averages = _walsh_averages(differences)
    rank = signed_rank.critical_rank(blocks, confidence)
    ends = (rank - 1, averages.shape[-1] - rank)
    averages.partition(ends, axis=-1)
    return averages[..., ends[0]], averages[..., ends[1]]


def _t_interval(differences: Floats, confidence: float) -> tuple[Floats, Floats]:
    blocks = differences.shape[-1]
    middle = hodges_lehmann(differences)
    mean = differences.mean(axis=-1)
    errors = differences.std(axis=-1, ddof=1) / math.sqrt(blocks)
    reach = paired_t.quantile((1 + confidence) / 2, blocks - 1) * errors
    return np.minimum(mean - reach, middle), np.maximum(mean + reach, middle)


def _walsh_averages(differences: Floats) -> Floats:
    first, second = np.triu_indices(differences.shape[-1])
    averages: Floats = (differences[..., first] + differences[..., second]) / 2
    return averages
