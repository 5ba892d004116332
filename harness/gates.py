"""The gates that a suite asks for, on the cases that a plan measures."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.gate import check_power
from analysis.verdict import GatedCase
from harness.matrix import PlannedCase, case_of_gate, cases_of
from harness.suite import Suite
from results.errors import UsageError
from results.metrics import FIGURES
from scenarios.specification import Arrivals


def gates_of(suite: Suite, measured: Sequence[PlannedCase], blocks: int) -> tuple[list[GatedCase], list[str]]:
    """The suite's gates on the measured cases, and the names of those whose case ``--only`` left out.

    Raises UsageError with all gates that name no case or several, or a figure that their case cannot have, or
    when the gates could never fail with this number of blocks.
    """
    identities = {planned.case.identity for planned in measured}
    gates: list[GatedCase] = []
    left_out: list[str] = []
    mistakes: list[str] = []
    cases = cases_of(suite)
    for gate in suite.gate:
        limit = f"at most {gate.at_most}" if gate.at_most is not None else f"at least {gate.at_least}"
        name = f"{gate.case}: {gate.metric} {limit}"
        try:
            planned = case_of_gate(cases, gate.case)
        except UsageError as error:
            mistakes.append(str(error))
            continue
        if FIGURES[gate.metric].needs_schedule and not isinstance(planned.load, Arrivals):
            mistakes.append(
                f"the gate on {gate.metric} of {gate.case!r} has nothing to judge: a closed loop has no "
                f'schedule; name a case of kind = "arrivals", or another metric'
            )
            continue
        if planned.case.identity in identities:
            gates.append(GatedCase(name, planned.case, gate.limit))
        else:
            left_out.append(name)
    if mistakes:
        raise UsageError(f"the suite {suite.name}: " + "\n".join(mistakes))
    try:
        check_power(len(gates), blocks)
    except ValueError as error:
        raise UsageError(f"the suite {suite.name}: {error}") from error
    return gates, left_out
