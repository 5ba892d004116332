"""The gates that a suite asks for, on the cases that a plan measures."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from analysis.verdicts.gate import check_power
from analysis.verdicts.verdict import GatedCase
from harness.matrix import PlannedCase, case_of_gate, cases_of, may_be_gated
from harness.suite import Gate, Suite
from results.errors import UsageError
from results.metrics import FIGURES
from results.run import RunHeader
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
        name = _name(gate)
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


def stored_gates(header: RunHeader, path: Path) -> tuple[list[GatedCase], list[str]]:
    """The gates of a stored run, and the names of those whose case ``--only`` left out.

    From the run alone: neither the suite's file nor its folders need to be there. The run would not have
    begun with a gate that names no case of its suite, so that one without a case here was left out. Raises
    UsageError where the gates cannot be understood; ``path`` is the store's.
    """
    try:
        tables = tomllib.loads(header.suite_toml).get("gate", [])
        wanted = TypeAdapter(list[Gate]).validate_python(tables)
    except ValidationError as error:
        raise UsageError(_not_understood(path, "; ".join(item["msg"] for item in error.errors()))) from error
    except (ValueError, RecursionError) as error:  # of the TOML
        raise UsageError(_not_understood(path, str(error))) from error
    gates: list[GatedCase] = []
    left_out: list[str] = []
    for gate in wanted:
        found = [case for case in header.cases if may_be_gated(case, gate.case)]
        gates += [GatedCase(_name(gate), case, gate.limit) for case in found]
        left_out += [] if found else [_name(gate)]
    return gates, left_out


def _not_understood(path: Path, why: str) -> str:
    return (
        f"the gates in the suite that {path} keeps cannot be understood: {why}. "
        "Another version of streamgauge wrote it; read it with that one"
    )


def _name(gate: Gate) -> str:
    limit = f"at most {gate.at_most}" if gate.at_most is not None else f"at least {gate.at_least}"
    return f"{gate.case}: {gate.metric} {limit}"
