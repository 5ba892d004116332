"""JSON: everything, in the form that ``streamgauge.schema.json`` in this folder describes."""

from __future__ import annotations

import json
from typing import Any

from analysis import line_side, load_side
from analysis.findings import CaseFinding, FigureFinding, Findings, GateFinding
from analysis.growth import DEFINITION as RETAINED_SLOPE
from analysis.growth import MemoryGrowth
from analysis.others import OthersCost
from analysis.slope import DEFINITION, MemorySlope
from analysis.verdicts.judgement import Verdict
from results.records import Verification

#: A change that breaks readers makes a new one.
FORMAT = "streamgauge.findings.v1"


def export(findings: Findings) -> str:
    """One object, in ASCII: whatever else a text holds is written as an escape, and nothing is cut."""
    return json.dumps(_document(findings), indent=2, allow_nan=False) + "\n"


def _document(findings: Findings) -> dict[str, Any]:
    header = findings.header
    return {
        "format": FORMAT,
        "run": {
            "id": header.run_id,
            "suite": header.suite,
            "created_utc": header.created_utc,
            "finished_utc": findings.finished_utc,
            "version": header.version,
            "command": list(header.command),
            "seed": header.seed,
            "blocks": header.blocks,
            "warmup_s": header.warmup_s,
            "window_s": header.window_s,
            "ran_as": list(findings.ran_as),
            "trials": findings.trials,
            "planned_trials": findings.planned,
            "invalid_trials": findings.invalid,
            "repeated_trials": findings.repeated,
            "faults": [
                {"fault": fault.value, "trials": count, "hint": fault.hint}
                for fault, count in findings.faults.items()
            ],
        },
        "gates": [_gate(gate) for gate in findings.gates],
        "unfit": [{"label": item.label, "verdict": _verdict(item.verdict)} for item in findings.unfit],
        "cases": [_case(case) for case in findings.cases],
        "expected_failures": [
            {"label": item.label, "identity": item.case.identity, "how": item.how}
            for item in findings.expected_failures
        ],
        "memory_slopes": [_slope(slope) for slope in findings.slopes],
        "memory_growths": [_growth(growth) for growth in findings.growths],
        "others": [_cost(cost) for cost in findings.costs],
        "load": load_side.document(findings.load),
        "line": line_side.document(findings.lines),
        "environment": dict(header.environment),
        "suite_toml": header.suite_toml,
    }


def _gate(gate: GateFinding) -> dict[str, Any]:
    result = gate.result
    return {
        "name": gate.name,
        "state": gate.state.value,
        "reason": gate.reason,
        "case": gate.case,
        "label": gate.label,
        "figure": gate.figure and gate.figure.name,
        "unit": gate.figure and gate.figure.unit.value,
        "value": result and result.figure,
        "limit": result and result.limit,
        "p": result and result.p,
    }


def _case(case: CaseFinding) -> dict[str, Any]:
    row = case.summary
    return {
        "label": row.label,
        "identity": row.case.identity,
        "parameters": dict(row.case.parameters),
        "baseline": row.case.baseline,
        "control": row.control,
        "verification": _verification(row.verification),
        "trials": row.trials,
        "invalid_trials": row.invalid,
        "untrusted": case.untrusted,
        "reasons": dict(case.reasons),
        "faults": dict(case.faults),
        "outcomes": dict(case.outcomes),
        "errors": dict(case.errors),
        "others_outcomes": dict(case.others_outcomes),
        "others_errors": dict(case.others_errors),
        "took_s": case.took_s,
        "figures": {name: _figure(item) for name, item in case.figures.items()},
    }


def _verification(found: Verification | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {name: getattr(found, name) for name in Verification.__slots__}


def _figure(item: FigureFinding) -> dict[str, Any]:
    figure = item.figure
    return {
        "definition": figure.definition,
        "unit": figure.unit.value,
        "better": figure.better.value,
        "value": item.value,
        "ratio": item.ratio,
        "gated": item.gated,
        "q": item.q,
        "verdict": item.verdict and _verdict(item.verdict),
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    """``of`` says what the numbers are: ratios to the baseline, or differences in the figure's unit."""
    return {
        "figure": verdict.figure.name,
        "kind": verdict.kind.value,
        "of": "difference" if verdict.figure.by_difference else "ratio",
        "estimate": verdict.estimate,
        "low": verdict.low,
        "high": verdict.high,
        "blocks": verdict.blocks,
        "provisional": verdict.provisional,
        "detectable": verdict.detectable,
        "blocks_needed": verdict.blocks_needed,
        "reason": verdict.reason,
    }


def _growth(growth: MemoryGrowth) -> dict[str, Any]:
    return {
        "definition": RETAINED_SLOPE,
        "label": growth.label,
        "case": growth.case,
        "windows": growth.trials,
        "bytes_per_response": growth.slope,
        "low": growth.low,
        "high": growth.high,
        "bytes_per_hour": growth.per_hour,
        "verdict": growth.verdict.value,
        "reason": growth.reason,
    }


def _cost(cost: OthersCost) -> dict[str, Any]:
    return {
        "label": cost.summary.label,
        "identity": cost.summary.case.identity,
        "patience_s": cost.patience_s,
        "verdict": _verdict(cost.verdict),
    }


def _slope(slope: MemorySlope) -> dict[str, Any]:
    return {
        "definition": DEFINITION,
        "label": slope.label,
        "axis": slope.axis,
        "sizes_bytes": list(slope.sizes_bytes),
        "blocks": slope.blocks,
        "slope": slope.slope,
        "low": slope.low,
        "high": slope.high,
        "constant": slope.constant,
    }
