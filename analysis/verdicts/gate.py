"""Gates: what a suite's limits mean, whether they could fail at all, and whether they do.

A gate is a family of a few named one-sided tests: is the case beyond its limit in more blocks than
chance would do? Holm's correction is taken over the family (S. Holm, 1979).
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.statistics.looks import LOOK_LEVEL
from analysis.statistics.multiple import holm
from analysis.statistics.signed_rank import p_greater, smallest_p
from results.metrics import Better, Figure, Unit
from results.terms import Stopping, Terms

LEVEL = 0.05

_OF_BASELINE = re.compile(r"(\d+(?:\.\d+)?)\s+of\s+baseline")
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z/%]+)")
_UNITS: dict[Unit, dict[str, float]] = {
    Unit.NANOSECONDS: {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9},
    Unit.BYTES: {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30},
    Unit.BYTES_PER_SECOND: {"B/s": 1, "kB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9},
    Unit.PER_SECOND: {"/s": 1},
    Unit.SHARE: {"%": 0.01},
    Unit.NANOSECONDS_PER_MEGABYTE: {"ns/MB": 1, "us/MB": 1e3, "ms/MB": 1e6, "s/MB": 1e9},
}


@dataclass(frozen=True, slots=True)
class Limit:
    """``value`` is in the figure's unit, or a ratio to the baseline where ``of_baseline``."""

    figure: Figure
    value: float
    of_baseline: bool
    upper: bool

    def of(self, baseline: float) -> float:
        """The limit in the figure's unit, for a block with this baseline (not asked for an amount)."""
        # memory that shrank grew by nothing: twice -4 KiB is no limit
        return self.value * max(baseline, 0.0) if self.of_baseline else self.value

    def excess(self, figure: float, baseline: float) -> float:
        """How far one block's figure is beyond the limit; above 0 is worse.

        A ratio is compared by logarithm, and memory by difference: a stream that grows by nothing has
        no logarithm.
        """
        limit = self.of(baseline)
        sign = 1 if self.upper else -1
        if self.figure.by_difference or figure <= 0 or limit <= 0:
            return sign * (figure - limit)
        return sign * math.log(figure / limit)


@dataclass(frozen=True, slots=True)
class Pair:
    """A case's figure in one block, and its baseline's in the same block."""

    figure: float
    baseline: float


@dataclass(frozen=True, slots=True)
class GateResult:
    """``p`` is corrected over the family. ``failed``: the case is beyond its limit.

    ``figure`` and ``limit`` are medians over the blocks, in the figure's unit. ``within_error_ns`` is the
    client's error where that alone is why the gate did not fail.
    """

    name: str
    p: float
    failed: bool
    figure: float
    limit: float
    within_error_ns: float | None = None


def parse_limit(given: str, figure: Figure, *, upper: bool) -> Limit:
    """A limit such as ``"0.1 of baseline"`` or ``"20 ms"``. Raises ValueError that says what is allowed."""
    if upper is not (figure.better is Better.LOWER):
        raise ValueError(
            f"{figure.name} is better when it is {figure.better}: "
            f"its limit is {'at_least' if upper else 'at_most'}"
        )
    text = given.strip()
    units = _UNITS[figure.unit]
    if match := _OF_BASELINE.fullmatch(text):
        limit = Limit(figure, float(match[1]), of_baseline=True, upper=upper)
    elif (match := _AMOUNT.fullmatch(text)) and match[2] in units:
        limit = Limit(figure, float(match[1]) * units[match[2]], of_baseline=False, upper=upper)
    else:
        raise ValueError(
            f'{given!r} is no limit for {figure.name}; write "0.5 of baseline" '
            f'or an amount in {", ".join(units)}, like "20 {list(units)[-1]}"'
        )
    if limit.value == 0 and not upper:
        raise ValueError(f"a limit of {given!r} is always met: a gate that cannot fail is no gate")
    if limit.value == 0 and limit.of_baseline:
        raise ValueError("a limit of 0 of the baseline can never be met")
    if math.isinf(limit.value):
        raise ValueError(f"a limit of {text[:20]}... is too large a number")
    return limit


def level_of(terms: Terms) -> float:
    """The level at which a run on these terms is judged, whichever of its looks was the last.

    Two-sided for verdicts. For gates, which look to one side, it is theirs: four looks at one-sided 0.0182
    keep 0.05 too.
    """
    return LOOK_LEVEL if terms.stopping is Stopping.DECIDED else LEVEL


def interval_name(terms: Terms, *, same: bool = False) -> str:
    """What the interval of a verdict on these terms is called; with ``same`` the one that "same" rests on."""
    level = level_of(terms)
    return f"{100 * (1 - (2 * level if same else level)):.3g}% interval"


def fewest_blocks(gates: int, level: float = LEVEL) -> int:
    """With how many blocks a family of so many gates can fail at this level; 1 without any."""
    return max(1, math.ceil(math.log2(gates / level))) if gates else 1


def check_power(gates: int, blocks: int, level: float = LEVEL) -> None:
    """Refuse a family of gates that could not fail at this number of blocks and this level.

    Raises ValueError with the number of blocks that it needs.
    """
    if gates and smallest_p(blocks) * gates > level:
        needed = fewest_blocks(gates, level)
        raise ValueError(
            f"{gates} gate{'s' if gates > 1 else ''} could never fail with {blocks} blocks: "
            f"a gate that cannot fail is no gate. Measure at least {needed} blocks (blocks = {needed}, "
            f"or --blocks {needed})"
        )


def check_first_look(gates: int, blocks: int, level: float) -> None:
    """Refuse a family that could not fail at the first look of a sequential run, whose level this is.

    Raises ValueError with the number of blocks that it needs.
    """
    needed = fewest_blocks(gates, level)
    if needed > blocks:
        fixed = fewest_blocks(gates)
        raise ValueError(
            f"{gates} gates could never fail at the first look, after {blocks} blocks: a gate that cannot "
            f"fail is no gate. They need {needed} blocks there; gate fewer, or measure a fixed number "
            f"(--blocks {max(fixed, needed)})"
        )


def judge(family: Sequence[tuple[str, Limit, Sequence[Pair]]], level: float = LEVEL) -> list[GateResult]:
    """Each gate's result at this level, in the order given, with Holm's correction over the family."""
    raw = [
        p_greater([limit.excess(pair.figure, pair.baseline) for pair in pairs]) for _, limit, pairs in family
    ]
    return [
        GateResult(
            name,
            p,
            failed=p <= level,
            figure=statistics.median(pair.figure for pair in pairs),
            limit=statistics.median(limit.of(pair.baseline) for pair in pairs),
        )
        for (name, limit, pairs), p in zip(family, holm(raw), strict=True)
    ]
