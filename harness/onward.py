"""What is measured next, when all that was planned is: more blocks, or those that confirm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analysis.verdicts.fitness import run_decided
from analysis.verdicts.gate import fewest_blocks
from analysis.verdicts.margin_gate import judge_margins, margins_decided
from analysis.verdicts.sides import sides_decided
from analysis.verdicts.verdict import GatedCase, gates_decided
from harness.stopping import wanted_blocks
from harness.suites.plan import Plan
from results.errors import MeasurementError
from results.records import Slot
from results.run import Run


@dataclass(frozen=True, slots=True)
class More:
    """Further slots, and why they are needed, in words."""

    slots: Sequence[Slot]
    why: str


#: Asked each time that all planned trials of a run are in the store; nothing ends the run.
Onward = Callable[[Run], More | None]


def onward_of_run(plan: Plan, gates: Sequence[GatedCase]) -> Onward:
    """By the run's terms; what is to be decided are the gates or, without any, the headline verdicts."""

    def onward(run: Run) -> More | None:
        def decided() -> bool:
            return _judged(lambda: gates_decided(run, gates) if gates else run_decided(run))

        return _blocks(run, plan, decided, len(gates))

    return onward


def onward_of_ab(plan: Plan) -> Onward:
    """By the run's terms, then once as many blocks again of the cases whose gates failed."""

    def onward(run: Run) -> More | None:
        if any(slot.confirming for slot in run.header.slots):
            return None

        gates = run.header.margin_gates

        def decided() -> bool:
            return _judged(lambda: margins_decided(run) if gates else sides_decided(run))

        return _blocks(run, plan, decided, len(gates)) or _confirmation(run, plan)

    return onward


def _blocks(run: Run, plan: Plan, decided: Callable[[], bool], gates: int) -> More | None:
    header = run.header
    wanted, why = wanted_blocks(run, plan, decided, fewest_blocks(gates))
    slots = plan.further(range(header.blocks, wanted), len(header.slots))
    return More(slots, why) if slots else None


def _confirmation(run: Run, plan: Plan) -> More | None:
    try:
        failed = [result.gate for result in judge_margins(run, run.header.margin_gates) if result.failed]
    except MeasurementError:
        return None  # the run's end tells it: it judges the same
    if not failed:
        return None
    blocks = run.header.blocks
    slots = plan.confirming(
        {gate.case.identity for gate in failed}, range(blocks, 2 * blocks), len(run.header.slots)
    )
    return More(
        slots, f"worse so far: {', '.join(gate.name for gate in failed)}; measured once more to confirm"
    )


def _judged(decided: Callable[[], bool]) -> bool:
    """What cannot be judged, for too many invalid trials, is not decided: more blocks may mend that."""
    try:
        return decided()
    except MeasurementError:
        return False
