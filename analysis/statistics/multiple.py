"""Several tests at once: p-values corrected for how many there are."""

from __future__ import annotations

from collections.abc import Sequence

#: The share of wrong ones among all that screening names.
SCREENING_Q = 0.10


def holm(raw: Sequence[float]) -> list[float]:
    """Step-down corrected p-values, in the order given (S. Holm, 1979).

    Rejecting those at most 0.05 is wrong anywhere with a probability of at most 0.05.
    """
    order = sorted(range(len(raw)), key=lambda index: raw[index])
    corrected = [0.0] * len(raw)
    worst = 0.0
    for rank, index in enumerate(order):
        worst = max(worst, min(1.0, raw[index] * (len(raw) - rank)))
        corrected[index] = worst
    return corrected


def benjamini_hochberg(raw: Sequence[float]) -> list[float]:
    """Step-up corrected p-values, in the order given (Y. Benjamini and Y. Hochberg, 1995).

    Of those at most q, a share of at most q is expected to be wrong (independent or positively dependent
    tests). For screening, with `SCREENING_Q`; a gate needs `holm`.
    """
    order = sorted(range(len(raw)), key=lambda index: raw[index], reverse=True)
    corrected = [0.0] * len(raw)
    best = 1.0
    for above, index in enumerate(order):
        best = min(best, raw[index] * len(raw) / (len(raw) - above))
        corrected[index] = best
    return corrected
