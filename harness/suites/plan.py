"""The plan: which case is measured when. Pure; the same suite and seed give the same order."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from harness.suites.matrix import PlannedCase
from results.errors import UsageError
from results.records import Slot
from results.sides import Side
from scenarios.specification import Arrivals, Others

#: What a trial takes besides its warm-up and window, in seconds: a server's start and stop above all.
#: Only the first guess of a run's length rests on it.
TRIAL_OVERHEAD_S = 0.6
#: A traced trial asks for 1.5 s at most, or once.
_TRACE_S = 1.5 + TRIAL_OVERHEAD_S
#: A longer schedule of arrivals would fill the memory of the load driver and the store.
MOST_ARRIVALS = 1_000_000
#: So many others must come alone, that their median is one.
FEWEST_ALONE = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """The cases of a run and the order of its trials."""

    cases: Sequence[PlannedCase]
    slots: Sequence[Slot]
    seed: int
    warmup_s: float
    window_s: float
    sides: Sequence[Side | None] = (None,)
    traced: bool = True
    """Whether each case is traced when all trials are through."""

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return max((slot.block for slot in self.slots), default=-1) + 1

    @property
    def expected_s(self) -> float:
        """About how long the trials will take, in seconds."""
        alone_s = {
            planned.case.identity: planned.others.alone_s
            for planned in self.cases
            if planned.others is not None
        }
        each_s = self.warmup_s + self.window_s + TRIAL_OVERHEAD_S
        return sum(each_s + alone_s.get(slot.case, 0.0) for slot in self.slots)

    @property
    def tracing_s(self) -> float:
        """About how long the traced trials, one for each timed case of a run, will take, in seconds."""
        timed = sum(
            not planned.case.expect_failure and planned.target.app is not None for planned in self.cases
        )
        return _TRACE_S * timed * self.traced

    def further(self, blocks: range, first: int) -> list[Slot]:
        """The slots of these blocks, whose positions begin at ``first``."""
        entries = [
            Slot(0, 0, planned.case.identity, control, side)
            for side in self.sides
            for planned in self.cases
            if not planned.case.expect_failure
            for control in ([False, True] if planned.case.is_baseline and side is not Side.HEAD else [False])
        ]
        return self._shuffled(entries, blocks, first)

    def confirming(self, cases: Collection[str], blocks: range, first: int) -> list[Slot]:
        """The same for the blocks that confirm what these cases (identities) showed, both sides of each."""
        entries = [
            Slot(0, 0, identity, side=side, confirming=True)
            for side in self.sides
            for planned in self.cases
            if (identity := planned.case.identity) in cases
        ]
        return self._shuffled(entries, blocks, first)

    def _shuffled(self, entries: Sequence[Slot], blocks: range, first: int) -> list[Slot]:
        slots: list[Slot] = []
        for block in blocks:
            order = list(entries)
            random.Random(f"{self.seed}/{block}").shuffle(order)  # noqa: S311  - an order, not a secret
            slots += [
                replace(slot, position=first + len(slots) + index, block=block)
                for index, slot in enumerate(order)
            ]
        return slots


def make_plan(
    cases: Sequence[PlannedCase],
    *,
    blocks: int,
    seed: int,
    warmup_s: float,
    window_s: float,
    sides: Sequence[Side | None] = (None,),
    traced: bool = True,
) -> Plan:
    """Blocks of all timed cases, the baselines twice (the second is the A/A control), shuffled.

    With ``sides``, all cases of each side, and base's baselines twice. Each block's order depends on the seed
    and its own number alone: more blocks change no earlier one.

    Raises UsageError when there is nothing to time, or an open loop would send far too many requests or none.
    """
    if all(planned.case.expect_failure for planned in cases):
        raise UsageError("nothing would be timed: all of these cases are expected to fail; add a target")
    for planned in cases:
        if isinstance(planned.load, Arrivals):
            _check_arrivals(planned.case.identity, planned.load.rate, warmup_s, window_s)
        if planned.others is not None:
            _check_others(planned.case.identity, planned.others, warmup_s, window_s)
    plan = Plan(cases, (), seed, warmup_s, window_s, sides, traced and None in sides)
    return replace(plan, slots=plan.further(range(blocks), 0))


def _check_others(identity: str, others: Others, warmup_s: float, window_s: float) -> None:
    """That there are some to tell of, alone and beside streams, and not far too many."""
    _check_arrivals(identity, others.rate, others.alone_s + warmup_s, window_s)
    if others.rate * others.alone_s < FEWEST_ALONE:
        raise UsageError(
            f"beside the case {identity} others would send {others.rate * others.alone_s:.3g} requests "
            f"before the first stream, and {FEWEST_ALONE} are needed to compare with; make `others` more a "
            "second, or `alone` longer"
        )


def _check_arrivals(identity: str, rate: float, warmup_s: float, window_s: float) -> None:
    total = rate * (warmup_s + window_s)
    if total > MOST_ARRIVALS:
        raise UsageError(
            f"the case {identity} would send {total:,.0f} requests in each trial, more than "
            f"{MOST_ARRIVALS:,}; make its rate smaller, or the window shorter"
        )
    if rate * window_s < 1:
        raise UsageError(
            f"the case {identity} would send {rate * window_s:.3g} requests in a window of {window_s:g} s; "
            "make its rate greater, or the window longer"
        )
