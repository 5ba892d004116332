"""Which buffer the rule selects, and how often it does so when the blocks are drawn anew.

The rule is that of docs/metrics.md, "The recommended buffer". Drawing with replacement: B. Efron, "Bootstrap
methods: another look at the jackknife" (1979). The share tells how stable a choice is; it is no confidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analysis.statistics.stacked import Floats, hodges_lehmann, interval
from analysis.verdicts.judgement import CONFIDENCE, CONFIDENCE_SAME
from results.metrics import FIGURES

#: What a buffer must keep of the best throughput.
KEPT: Final = 0.95
#: What a buffer may lose of the time that the smallest one gains over the whole form. Its first byte alone
#: would never be late enough for a larger one: a smaller chunk is always there a little sooner.
LOST: Final = 0.05
#: A size that is selected less often is no answer on its own.
STABLE: Final = 0.70
#: How often the blocks are drawn anew.
DRAWS: Final = 1000
#: With very many blocks fewer draws are made, so that they take seconds; a share of 100 is good to 5 points.
_FEWEST_DRAWS = 100
_MOST_AVERAGES = 50_000_000
_AVERAGES_AT_ONCE = 1_000_000
_SEED = 2013
#: Logarithms of what is the same to the last digit differ by so little.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Measured:
    """What a family measured, shape (sizes, blocks), the smallest buffer first; throughput and TTFB above 0.

    ``peak_bytes`` is nan where a trial does not tell. ``cap_bytes`` is the user's cap on it, and ``error_ns``
    the client's calibrated error of a TTFB; null where there is none. ``whole_ttfb_ns`` is the TTFB of the
    whole form, shape (blocks,), null where one of its trials is missing.
    """

    throughput: Floats
    ttfb_ns: Floats
    peak_bytes: Floats
    cap_bytes: float | None = None
    error_ns: float | None = None
    whole_ttfb_ns: Floats | None = None

    def blocks_drawn(self, blocks: npt.NDArray[np.intp]) -> Measured:
        """The same of these blocks; their array's shape takes the place of the last axis."""
        return Measured(
            self.throughput[:, blocks],
            self.ttfb_ns[:, blocks],
            self.peak_bytes[:, blocks],
            self.cap_bytes,
            self.error_ns,
            None if self.whole_ttfb_ns is None else self.whole_ttfb_ns[blocks],
        )

    def best(self) -> npt.NDArray[np.intp]:
        """The size with the highest throughput, the smallest of equal ones.

        By its ratio to the mean of each block, which cancels drift.
        """
        rates = np.log(self.throughput)
        middles = hodges_lehmann(rates - rates.mean(axis=0))
        best: npt.NDArray[np.intp] = np.argmax(middles >= middles.max(axis=0) - _ROUNDING, axis=0)
        return best

    def against_best(self) -> Floats:
        """The logarithm of each throughput over the best one's in the same block."""
        rates = np.log(self.throughput)
        against: Floats = rates - np.take_along_axis(rates, self.best()[None, ..., None], axis=0)
        return against

    def inside_cap(self) -> npt.NDArray[np.bool_]:
        """Whether no trial of a size went beyond the cap; a trial that does not tell might have."""
        if self.cap_bytes is None:
            return np.ones(self.peak_bytes.shape[:-1], np.bool_)
        within: npt.NDArray[np.bool_] = self.peak_bytes <= self.cap_bytes
        inside: npt.NDArray[np.bool_] = np.all(within, axis=-1)
        return inside


def keeps(against_best: Floats) -> npt.NDArray[np.bool_]:
    """Whether the 90% interval of a throughput against the best lies at 0.95 or above."""
    low, _ = interval(against_best, CONFIDENCE_SAME)
    kept: npt.NDArray[np.bool_] = low >= math.log(KEPT) - _ROUNDING
    return kept


def selected(measured: Measured) -> npt.NDArray[np.intp]:
    """The smallest size that passes, of each set of blocks; -1 where none does."""
    passing = keeps(measured.against_best()) & ~later(measured) & measured.inside_cap()
    return np.where(passing.any(axis=0), np.argmax(passing, axis=0), -1)


def shares(measured: Measured) -> tuple[Floats, int]:
    """How often each size was selected (0 to 1) among blocks drawn with replacement, and in how many draws.

    The draws are the same each time, and do not depend on how the blocks are numbered.
    """
    sizes, blocks = measured.throughput.shape
    draws = draws_of(sizes, blocks)
    at_once = max(1, _AVERAGES_AT_ONCE // _averages(sizes, blocks))
    ordered = measured.blocks_drawn(np.lexsort(np.vstack([measured.ttfb_ns, measured.throughput])))
    drawn = np.random.default_rng(_SEED).integers(blocks, size=(draws, blocks))
    chosen = np.concatenate(
        [selected(ordered.blocks_drawn(drawn[start : start + at_once])) for start in range(0, draws, at_once)]
    )
    counts = np.bincount(chosen[chosen >= 0], minlength=sizes)
    return counts / draws, draws


def stable_span(selected: Floats, choice: int) -> range:
    """The fewest neighbours of the choice, itself counted, with 70% of the shares; the likeliest of these.

    Empty where all sizes together have less, since often none passes.
    """
    for width in range(1, selected.size + 1):
        starts = range(max(0, choice - width + 1), min(choice, selected.size - width) + 1)
        sums = [float(selected[start : start + width].sum()) for start in starts]
        if max(sums) >= STABLE - _ROUNDING:
            begin = starts[sums.index(max(sums))]
            return range(begin, begin + width)
    return range(0)


def draws_of(sizes: int, blocks: int) -> int:
    """How many draws are made of so many sizes and blocks."""
    return min(DRAWS, max(_FEWEST_DRAWS, _MOST_AVERAGES // _averages(sizes, blocks)))


def _averages(sizes: int, blocks: int) -> int:
    """How many Walsh averages one draw takes, for each of the three questions that the rule asks."""
    return sizes * blocks * (blocks + 1) // 2


def later(measured: Measured) -> npt.NDArray[np.bool_]:
    """Whether the first byte is too late beside the smallest size's.

    It is *worse*, as `verdicts.judgement` says it, and shown to lose more than `LOST` of what the smallest
    size gains over the whole form (where that is known, and is a gain in every block).
    """
    times = np.log(measured.ttfb_ns)
    low, _ = interval(times - times[0], CONFIDENCE)
    found: npt.NDArray[np.bool_] = low > math.log1p(FIGURES["ttfb_p50"].margin.share)
    if measured.error_ns is not None:
        apart = np.abs(hodges_lehmann(measured.ttfb_ns - measured.ttfb_ns[0]))
        found &= apart >= measured.error_ns
    lost = lost_gain(measured)
    if lost is not None:
        known = np.isfinite(lost)
        low, _ = interval(np.where(known, lost, 0.0), CONFIDENCE)
        found &= ~known.all(axis=-1) | (low > LOST)
    return found


def lost_gain(measured: Measured) -> Floats | None:
    """For each size the share of the smallest one's gain over the whole form that it loses, block by block.

    Infinite where the smallest one gains nothing; null where the whole form is not known.
    """
    if measured.whole_ttfb_ns is None:
        return None
    gain = np.broadcast_to(measured.whole_ttfb_ns - measured.ttfb_ns[0], measured.ttfb_ns.shape)
    lost = np.full(measured.ttfb_ns.shape, np.inf)
    np.divide(measured.ttfb_ns - measured.ttfb_ns[0], gain, out=lost, where=gain > 0)
    return lost
