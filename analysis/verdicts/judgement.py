"""The verdict on one figure of two arms that share their blocks: worse, better, same or undecided.

The rules are those of docs/metrics.md, "Verdicts". They are applied to oriented differences, so that
swapping the arms turns a verdict round, and a change of unit changes none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from analysis.statistics import paired_t, signed_rank
from analysis.statistics.signed_rank import FEWEST_RANKED
from analysis.table import amount
from analysis.verdicts.gate import LEVEL, Pair
from analysis.verdicts.scale import Scale
from results.metrics import Figure, Margin, Unit

#: Below, a verdict would rest on nothing.
FEWEST_BLOCKS = 5
#: How sure "worse" and "better" are, and how sure "same" is.
CONFIDENCE = 1 - LEVEL
CONFIDENCE_SAME = 1 - 2 * LEVEL
#: How likely a change is seen that a run "could have seen", were its noise normal. docs/accuracy.md has what
#: is reached with drift and bursts: about three in four.
POWER = 0.80
#: A run has no more blocks.
_MOST_BLOCKS = 1000


class Kind(StrEnum):
    """What a variant is to its baseline."""

    WORSE = "worse"
    BETTER = "better"
    SAME = "same"
    UNDECIDED = "undecided"
    ESTIMATE_ONLY = "estimate only"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A variant against its baseline in one figure.

    ``estimate`` and its interval, ``low`` to ``high`` (95%, in a sequential run that of its looks), are the
    ratio variant / baseline, or for memory the difference in bytes; not oriented: a throughput of ×0.9 is
    worse. Null where there is none.
    ``provisional``: 5 to 7 blocks, by a paired t. ``detectable`` is the smallest change for the worse, as a
    ratio or in bytes, that so many blocks of this spread are likely (`POWER`) to call worse.
    ``blocks_needed`` is how many are likely to decide what is undecided, if the estimate holds; null where
    1,000 are not. ``reason`` says in words what the verdict rests on.
    """

    kind: Kind
    figure: Figure
    blocks: int
    reason: str
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    provisional: bool = False
    detectable: float | None = None
    blocks_needed: int | None = None


def judge_pairs(
    figure: Figure,
    pairs: Sequence[Pair],
    *,
    margin: Margin | None = None,
    resolution: float = 0.0,
    error: float | None = None,
    level: float = LEVEL,
) -> Verdict:
    """The verdict over blocks, with the figure's own ``margin`` unless one is given.

    ``level`` is the two-sided one of worse and better; the same is two one-sided tests, each at it.

    ``resolution`` is what the kernel cannot tell apart, in bytes: the interval of a difference is never
    narrower. ``error`` is the client's calibrated error in the figure's unit: a difference smaller than it is
    never called better or worse.
    """
    if not pairs:
        return estimate_only(figure, 0, "no block has a valid trial on both sides")
    if not figure.by_difference and any(min(pair.figure, pair.baseline) <= 0 for pair in pairs):
        return estimate_only(figure, len(pairs), "a value of 0 has no ratio")
    scale = Scale.over(figure, pairs, margin or figure.margin)
    differences = [scale.difference(pair) for pair in pairs]
    estimate = signed_rank.hodges_lehmann(differences)
    if len(pairs) < FEWEST_BLOCKS:
        reason = f"{len(pairs)} of the {FEWEST_BLOCKS} blocks that a verdict needs"
        return estimate_only(figure, len(pairs), reason, scale.natural(estimate))
    least = resolution if figure.unit is Unit.BYTES else 0.0
    wide = _interval(differences, 1 - level, least)
    narrow = _interval(differences, 1 - 2 * level, least)
    kind, reason = by_the_margin(scale, wide, narrow, level)
    detectable = scale.margin + reach(wide, 1 - level, len(pairs) - 1)
    needed = None
    if kind is Kind.UNDECIDED:
        ends = (wide, 1 - level) if abs(estimate) > scale.margin else (narrow, 1 - 2 * level)
        room = abs(abs(estimate) - scale.margin)
        # no number of blocks makes the kernel count finer
        needed = blocks_needed(reach(*ends, len(pairs) - 1), room, len(pairs)) if room > least / 2 else None
        reason += f"; this run could have seen {scale.text(detectable)}, {what_it_takes(needed)}"
    elif kind is not Kind.SAME and error is not None and (gap := apart(pairs)) < error:
        kind = Kind.UNDECIDED
        reason = (
            f"the difference of {amount(gap, figure.unit)} is within the client's error of "
            f"{amount(error, figure.unit)}; no number of blocks decides"
        )
    low, high = sorted(scale.natural(end) for end in wide)
    return Verdict(
        kind,
        figure,
        len(pairs),
        reason,
        scale.natural(estimate),
        low,
        high,
        provisional=len(pairs) < FEWEST_RANKED,
        detectable=scale.natural(detectable),
        blocks_needed=needed,
    )


def estimate_only(figure: Figure, blocks: int, reason: str, estimate: float | None = None) -> Verdict:
    """No verdict: at most an estimate, and why it is no more."""
    return Verdict(Kind.ESTIMATE_ONLY, figure, blocks, reason, estimate)


def _interval(differences: Sequence[float], confidence: float, least: float) -> tuple[float, float]:
    """Of the oriented differences; as wide as ``least`` around the estimate at least."""
    if len(differences) < FEWEST_RANKED:
        low, high = paired_t.interval(differences, confidence)
    else:
        ranked = signed_rank.interval(differences, confidence)
        assert ranked is not None  # noqa: S101  - 8 blocks reach 99%
        low, high = ranked
    middle = signed_rank.hodges_lehmann(differences)
    return min(low, middle - least / 2), max(high, middle + least / 2)


def by_the_margin(
    scale: Scale, wide: tuple[float, float], narrow: tuple[float, float], level: float = LEVEL
) -> tuple[Kind, str]:
    """The rule itself: where the intervals lie against the margins, and this in words."""
    margin = scale.margin
    told = f"the {100 * (1 - level):.3g}% interval, {' to '.join(_texts(scale, wide))},"
    if wide[0] > margin:
        return Kind.WORSE, f"{told} lies beyond {scale.text(margin)}"
    if wide[1] < -margin:
        return Kind.BETTER, f"{told} lies beyond {scale.text(-margin)}"
    if -margin < narrow[0] and narrow[1] < margin:
        told_same = f"the {100 * (1 - 2 * level):.3g}% interval, {' to '.join(_texts(scale, narrow))},"
        return Kind.SAME, f"{told_same} lies between {' and '.join(_texts(scale, (-margin, margin)))}"
    crossed = [limit for limit in (-margin, margin) if wide[0] <= limit <= wide[1]]
    return Kind.UNDECIDED, f"{told} reaches across {' and '.join(_texts(scale, crossed))}"


def _texts(scale: Scale, differences: Sequence[float]) -> list[str]:
    return [scale.text(difference) for difference in sorted(differences, key=scale.natural)]


def reach(ends: tuple[float, float], confidence: float, degrees: int) -> float:
    """How far from a margin the truth must lie for the whole interval to keep to its side, 4 times in 5.

    Half the interval, h, is t((1 + confidence) / 2) standard errors wide, and once in five the estimate
    strays by more than t(0.80) of them: h (1 + t(0.80) / t((1 + confidence) / 2)). What is reached, by
    simulation, stands in docs/accuracy.md. ``degrees`` of freedom: one fewer than blocks, for each arm that
    was measured apart.
    """
    half = (ends[1] - ends[0]) / 2
    strays = paired_t.quantile(POWER, degrees) / paired_t.quantile((1 + confidence) / 2, degrees)
    return half * (1 + strays)


def blocks_needed(reached: float, room: float, blocks: int) -> int | None:
    """How many until the reach, which shrinks with the root of their number, fits into the room."""
    needed = blocks * (reached / room) ** 2
    return max(blocks + 1, math.ceil(needed)) if needed <= _MOST_BLOCKS else None


def what_it_takes(needed: int | None, where: str = "") -> str:
    """The number of blocks in words; ``where`` they would have to be measured, such as `` in each run``."""
    if needed is None:
        return f"and {_MOST_BLOCKS:,} blocks would hardly decide: the estimate lies too near to the margin"
    return f"and about {needed} blocks{where} would decide if the estimate holds"


def apart(pairs: Sequence[Pair]) -> float:
    """How far apart the arms are, in the figure's unit."""
    return abs(signed_rank.hodges_lehmann([pair.figure - pair.baseline for pair in pairs]))
