"""The gates that a suite asks for, on the cases that a plan measures."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.gate import check_power
from analysis.verdict import GatedCase
from harness.matrix import PlannedCase, case_of_gate, cases_of
from harness.suite import Suite
from results.errors import UsageError


def gates_of(suite: Suite, measured: Sequence[PlannedCase], blocks: int) -> list[GatedCase]:
    """The suite's gates on the measured cases; those that ``--only`` left out are not judged.

    Raises UsageError when a gate names no case or several, or when the gates could never fail with this
    number of blocks.
    """
    identities = {planned.case.identity for planned in measured}
    gates = []
    for gate in suite.gate:
        planned = case_of_gate(cases_of(suite), gate.case)
        if planned.case.identity in identities:
            limit = f"at most {gate.at_most}" if gate.at_most is not None else f"at least {gate.at_least}"
            gates.append(GatedCase(f"{gate.case}: {gate.metric} {limit}", planned.case, gate.limit))
    try:
        check_power(len(gates), blocks)
    except ValueError as error:
        raise UsageError(f"the suite {suite.name}: {error}") from error
    return gates
