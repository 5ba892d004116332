"""Made-up runs: what each case measured in each block is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from results.calibration import Answers, CalibrationPoint
from results.case import Case
from results.records import Slot
from results.run import Run, TrialSummary
from tests.results.examples import WHOLE, run_header, verification


@dataclass(frozen=True, slots=True)
class Invalid:
    """A trial that does not count, and the figures that it would have had."""

    figures: Mapping[str, float | None]
    failed: int = 2


Measured = Mapping[str, float | None] | Invalid


def run_of(
    *arms: tuple[Case, Sequence[Measured]], control: Sequence[Measured] = (), verified: int = 10
) -> Run:
    """A run whose blocks hold each arm's trials in order; ``control`` is the second measurement of WHOLE.

    Each valid trial has so many ``verified`` requests.
    """
    trials = [
        _trial(Slot(0, block, case.identity), measured, verified)
        for case, blocks in arms
        for block, measured in enumerate(blocks)
    ]
    trials += [
        _trial(Slot(0, block, WHOLE.identity, control=True), measured, verified)
        for block, measured in enumerate(control)
    ]
    cases = [case for case, _ in arms]
    header = run_header(cases=cases, blocks=max((len(blocks) for _, blocks in arms), default=0))
    return Run(header, "now", {case.identity: verification() for case in cases}, trials)


def calibrated(error_ns: float) -> CalibrationPoint:
    """With a p95 of ten times the median."""
    return CalibrationPoint(
        users=1,
        answers=Answers.ONCE,
        requests=90,
        stamped=True,
        error_p50_ns=error_ns,
        error_p95_ns=10 * error_ns,
        error_p99_ns=11 * error_ns,
        error_max_ns=12 * error_ns,
        loop_error_p50_ns=20 * error_ns,
        loop_error_p95_ns=30 * error_ns,
        lag_p99_ns=None,
        stamp_error_p99_ns=None,
        client_cpu=0.1,
    )


def _trial(slot: Slot, measured: Measured, verified: int) -> TrialSummary:
    invalid = isinstance(measured, Invalid)
    failed = measured.failed if isinstance(measured, Invalid) else 0
    return TrialSummary(
        slot=slot,
        reason="2 of 10 responses failed" if invalid else None,
        started_ns=0,
        finished_ns=1,
        window_open_ns=0,
        window_close_ns=1,
        ran_as="sync",
        figures=measured.figures if isinstance(measured, Invalid) else measured,
        outcomes={"verified": verified - failed, **({"truncated": failed} if failed else {})},
        errors={"cut off": 2} if invalid else {},
    )
