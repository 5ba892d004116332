"""The rules of verdicts over many runs at once, ours and those by which others judge.

All arrays have the shape (runs, blocks). Differences are oriented, above 0 for worse.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from analysis.statistics import paired_t, signed_rank, two_sample
from analysis.statistics.signed_rank import FEWEST_RANKED

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: By how much the mean must differ for those who judge by it; and the level of those who test.
THRESHOLD = 0.05
LEVEL = 0.05
_RESAMPLES = 1000
_CHUNK = 2000


def interval(differences: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Each run's interval as `verdicts.judgement` takes it: by a paired t, from 8 blocks on by ranks."""
    blocks = differences.shape[1]
    if blocks < FEWEST_RANKED:
        reach = paired_t.quantile((1 + confidence) / 2, blocks - 1) * (
            differences.std(axis=1, ddof=1) / math.sqrt(blocks)
        )
        middle = differences.mean(axis=1)
        return middle - reach, middle + reach
    first, second = np.triu_indices(blocks)
    averages = np.sort((differences[:, first] + differences[:, second]) / 2, axis=1)
    rank = signed_rank.critical_rank(blocks, confidence)
    return averages[:, rank - 1], averages[:, -rank]


def bootstrap_interval(differences: Floats) -> tuple[Floats, Floats]:
    """The percentile interval (B. Efron, 1979) of each run's mean difference over its blocks, at 95%."""
    weights = _weights(differences.shape[1])
    ends = [
        np.quantile(differences[at : at + _CHUNK] @ weights, [LEVEL / 2, 1 - LEVEL / 2], axis=1)
        for at in range(0, len(differences), _CHUNK)
    ]
    low, high = np.concatenate(ends, axis=1)
    return low, high


def slower_by_ranks(baseline: Floats, variant: Floats) -> Bools:
    """Where the two-sided Mann-Whitney test at 0.05 rejects, and the variant's values are the larger ones.

    For values without ties; all trials of a run are taken for independent.
    """
    won = (variant[:, :, None] > baseline[:, None, :]).sum(axis=(1, 2))
    critical = two_sample.critical_rank(variant.shape[1], baseline.shape[1], 1 - LEVEL) - 1
    slower: Bools = won >= variant.shape[1] * baseline.shape[1] - critical
    return slower


def slower_by_mean(baseline: Floats, variant: Floats) -> Bools:
    """Where the variant's mean is more than 5% above the baseline's."""
    slower: Bools = variant.mean(axis=1) > (1 + THRESHOLD) * baseline.mean(axis=1)
    return slower


@lru_cache(maxsize=16)
def _weights(blocks: int) -> Floats:
    """The share that each block has in each resample; the same resamples serve all runs."""
    drawn = np.random.default_rng(1979).integers(0, blocks, (_RESAMPLES, blocks))
    counts = (drawn[:, :, None] == np.arange(blocks)).sum(axis=1)
    weights: Floats = counts.T / blocks
    return weights
