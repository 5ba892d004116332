"""The scale on which two arms are compared: oriented differences, above 0 for worse.

Logarithms of ratios, or for memory bytes: a stream that grows by nothing has no logarithm.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.table import effect
from analysis.verdicts.gate import Pair
from results.metrics import Better, Figure, Margin


@dataclass(frozen=True, slots=True)
class Scale:
    """For one figure. ``margin`` is how far from 0, in both directions, is still the same."""

    figure: Figure
    margin: float

    @classmethod
    def over(cls, figure: Figure, pairs: Sequence[Pair], margin: Margin) -> Scale:
        """The scale of these blocks: memory's margin depends on the median of their baselines."""
        if not figure.by_difference:
            return cls(figure, math.log1p(margin.share))
        baseline = statistics.median(pair.baseline for pair in pairs)
        return cls(figure, max(margin.share * baseline, margin.least))

    def difference(self, pair: Pair) -> float:
        """One block's oriented difference."""
        if self.figure.by_difference:
            return self._sign * (pair.figure - pair.baseline)
        return self._sign * math.log(pair.figure / pair.baseline)

    def natural(self, difference: float) -> float:
        """An oriented difference as the ratio variant / baseline, or as the difference in bytes."""
        signed = self._sign * difference
        return signed if self.figure.by_difference else math.exp(signed)

    def text(self, difference: float) -> str:
        """An oriented difference as people read it: ×1.2, or +1.5 MiB."""
        return effect(self.natural(difference), self.figure)

    @property
    def _sign(self) -> int:
        return 1 if self.figure.better is Better.LOWER else -1
