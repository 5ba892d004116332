"""One figure of one case in two stored runs: worse, better, same or undecided, as screening.

Two runs share no blocks, so nothing cancels what the machine did to one of them: what is found is a hint.
The rules are those of docs/metrics.md, "Two stored runs"; the interval and the test are those of Mann and
Whitney (`two_sample`), over each run's own blocks.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.statistics import two_sample
from analysis.statistics.multiple import SCREENING_Q, benjamini_hochberg
from analysis.statistics.signed_rank import hodges_lehmann
from analysis.table import amount
from analysis.verdicts.gate import Pair
from analysis.verdicts.judgement import (
    CONFIDENCE,
    CONFIDENCE_SAME,
    FEWEST_BLOCKS,
    Kind,
    blocks_needed,
    by_the_margin,
    reach,
    what_it_takes,
)
from analysis.verdicts.scale import Scale
from results.metrics import Figure


@dataclass(frozen=True, slots=True)
class Arms:
    """The pairs of both runs, one a block: the case's figure and what it is taken against.

    ``levels`` are what memory's margin is a share of. ``resolution`` is what the kernel cannot tell apart
    (bytes; 0 for what is no memory), ``error`` the client's calibrated error in the figure's unit. ``weak``
    says why there can be no verdict, null where there can.
    """

    figure: Figure
    base: Sequence[Pair]
    head: Sequence[Pair]
    levels: Sequence[float]
    resolution: float = 0.0
    error: float | None = None
    weak: str | None = None


@dataclass(frozen=True, slots=True)
class Screened:
    """What the head is to the base in one figure.

    ``base`` and ``head`` are their ratios (memory: differences in bytes) to what each is taken against.
    ``estimate`` and its 95% interval, ``low`` to ``high``, are the ratio head / base, or the difference in
    bytes; not oriented. ``p`` is that of "no further apart than the margin", corrected over the whole family.
    ``margin`` is the ratio, or the difference in bytes, beyond which the head is worse. ``detectable`` and
    ``blocks_needed`` (in each run) are as in `judgement.Verdict`, before that correction. Null where
    there is none.
    """

    kind: Kind
    reason: str
    base_blocks: int
    head_blocks: int
    base: float | None = None
    head: float | None = None
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    margin: float | None = None
    detectable: float | None = None
    blocks_needed: int | None = None


def screen(family: Sequence[Arms]) -> list[Screened]:
    """The verdict on each, in the order given.

    Benjamini-Hochberg's correction is taken over all of them: of those called worse or better, a share of at
    most `SCREENING_Q` is expected to be wrong.
    """
    tests = [_Test.of(arms) for arms in family]
    corrected = iter(benjamini_hochberg([test.p for test in tests if isinstance(test, _Test)]))
    count = sum(isinstance(test, _Test) for test in tests)
    return [test.verdict(next(corrected), count) if isinstance(test, _Test) else test for test in tests]


@dataclass(frozen=True, slots=True)
class _Test:
    """Oriented differences of both runs, and what the ranks say of them before the correction."""

    arms: Arms
    scale: Scale
    base: Sequence[float]
    head: Sequence[float]
    p: float

    @classmethod
    def of(cls, arms: Arms) -> _Test | Screened:
        """The test, or why there is none."""
        sizes = (len(arms.base), len(arms.head))
        pairs = [*arms.base, *arms.head]
        if not arms.figure.by_difference and any(min(pair.figure, pair.baseline) <= 0 for pair in pairs):
            return Screened(Kind.ESTIMATE_ONLY, "a value of 0 has no ratio", *sizes)
        levels = [Pair(0.0, level) for level in arms.levels]
        scale = Scale.over(arms.figure, levels, arms.figure.margin)
        base = [scale.difference(pair) for pair in arms.base]
        head = [scale.difference(pair) for pair in arms.head]
        reason = arms.weak
        if min(sizes) < FEWEST_BLOCKS:
            reason = f"{sizes[0]} and {sizes[1]} blocks; a verdict needs {FEWEST_BLOCKS} in each run"
        if reason is not None:
            return Screened(
                Kind.ESTIMATE_ONLY,
                reason,
                *sizes,
                base=scale.natural(hodges_lehmann(base)),
                head=scale.natural(hodges_lehmann(head)),
                estimate=scale.natural(two_sample.shift(head, base)),
            )
        worse = two_sample.p_greater([value - scale.margin for value in head], base)
        better = two_sample.p_greater([value - scale.margin for value in base], head)
        return cls(arms, scale, base, head, min(1.0, 2 * worse, 2 * better))

    def verdict(self, p: float, tests: int) -> Screened:
        """With the p-value corrected over so many tests."""
        scale, sizes = self.scale, (len(self.base), len(self.head))
        shift = two_sample.shift(self.head, self.base)
        wide, narrow = self._interval(shift, CONFIDENCE), self._interval(shift, CONFIDENCE_SAME)
        kind, reason = by_the_margin(scale, wide, narrow)
        detectable = scale.margin + reach(wide, CONFIDENCE, sum(sizes) - 2)
        needed = None
        if kind is Kind.UNDECIDED:
            needed = self._blocks_needed(shift, wide, narrow)
            seen = f"these runs could have seen {scale.text(detectable)}"
            reason += f"; {seen}, {what_it_takes(needed, ' in each run')}"
        elif kind is not Kind.SAME and p > SCREENING_Q:
            kind = Kind.UNDECIDED
            reason += f", which is not enough for one of {tests} comparisons (corrected p = {p:.2g}); "
            reason += "measure more blocks, or compare fewer cases or figures"
        elif kind is not Kind.SAME and self.arms.error is not None and self._apart(shift) < self.arms.error:
            kind = Kind.UNDECIDED
            unit = self.arms.figure.unit
            reason = (
                f"the difference of {amount(self._apart(shift), unit)} is within the client's error of "
                f"{amount(self.arms.error, unit)}; no number of blocks decides"
            )
        low, high = sorted(scale.natural(end) for end in wide)
        return Screened(
            kind,
            reason,
            *sizes,
            base=scale.natural(hodges_lehmann(self.base)),
            head=scale.natural(hodges_lehmann(self.head)),
            estimate=scale.natural(shift),
            low=low,
            high=high,
            p=p,
            margin=scale.natural(scale.margin),
            detectable=scale.natural(detectable),
            blocks_needed=needed,
        )

    def _interval(self, shift: float, confidence: float) -> tuple[float, float]:
        found = two_sample.interval(self.head, self.base, confidence)
        assert found is not None  # noqa: S101  - 5 and 5 blocks reach 95%
        least = self.arms.resolution / 2
        return min(found[0], shift - least), max(found[1], shift + least)

    def _blocks_needed(
        self, shift: float, wide: tuple[float, float], narrow: tuple[float, float]
    ) -> int | None:
        sizes = (len(self.base), len(self.head))
        ends = (wide, CONFIDENCE) if abs(shift) > self.scale.margin else (narrow, CONFIDENCE_SAME)
        room = abs(abs(shift) - self.scale.margin)
        if room <= self.arms.resolution / 2:  # no number of blocks makes the kernel count finer
            return None
        # two unequal runs see as much as two of this size
        blocks = round(statistics.harmonic_mean(sizes))
        return blocks_needed(reach(*ends, sum(sizes) - 2), room, blocks)

    def _apart(self, shift: float) -> float:
        """How far apart the runs are in the figure's unit: at the smaller of both levels, to be safe."""
        if self.arms.figure.by_difference:
            return abs(shift)
        base, head = (
            statistics.median(pair.figure for pair in pairs) for pairs in (self.arms.base, self.arms.head)
        )
        ratio = self.scale.natural(shift)
        return min(base * abs(ratio - 1), head * abs(1 - 1 / ratio))
