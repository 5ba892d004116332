"""An ab as a document: plain values, ready for JSON."""

from __future__ import annotations

import json
from typing import Any, Final

from analysis import line_side, load_side
from analysis.ab.findings import AbFindings, AbGate, AbLine
from analysis.statistics.multiple import SCREENING_Q
from analysis.verdicts.margin_gate import MarginResult

FORMAT: Final = "streamgauge.ab.v1"


def ab_document(findings: AbFindings) -> dict[str, Any]:
    """Everything that an ab says; docs/metrics.md names the words.

    ``scale`` is ``ratio`` where the sides are compared by ratio, ``bytes`` where by difference; ``base`` and
    ``head`` are in the figure's unit.
    """
    header = findings.header
    return {
        "format": FORMAT,
        "run_id": header.run_id,
        "created_utc": header.created_utc,
        "finished_utc": findings.finished_utc,
        "suite": header.suite,
        "version": header.version,
        "seed": header.seed,
        "blocks": header.blocks,
        "warmup_s": header.warmup_s,
        "window_s": header.window_s,
        **{item.side.value: {"revision": item.revision, "commit": item.commit} for item in header.sides},
        "trials": findings.trials,
        "planned": findings.planned,
        "untrusted": findings.untrusted,
        "invalid": [
            {"where": where, "reason": reason, "trials": count}
            for (where, reason), count in findings.invalid.items()
        ],
        "repeated": findings.repeated,
        "faults": [
            {"fault": fault.value, "trials": count, "hint": fault.hint}
            for fault, count in findings.faults.items()
        ],
        "unfit": [
            {"label": item.label, "figure": item.verdict.figure.name, "reason": item.verdict.reason}
            for item in findings.unfit
        ],
        "bodies_differ": list(findings.bodies),
        "gates": [_gate(gate) for gate in findings.gates],
        "gates_not_judged": [{"name": item.name, "reason": item.reason} for item in findings.not_judged],
        "screening_q": SCREENING_Q,
        "lines": [_line(line) for line in findings.lines],
        "load": load_side.document(findings.load),
        "line": line_side.document(findings.over_lines),
        "environment": dict(header.environment),
        "suite_toml": header.suite_toml,
    }


def export(findings: AbFindings) -> str:
    """One object, in ASCII, as ``ab.schema.json`` in this folder describes it."""
    return json.dumps(ab_document(findings), indent=2, allow_nan=False) + "\n"


def _gate(item: AbGate) -> dict[str, Any]:
    outcome = item.outcome
    return {
        "name": item.gate.name,
        "case": item.gate.case.identity,
        "label": item.label,
        "figure": item.gate.metric,
        "margin": item.gate.margin.share,
        "state": item.state.value,
        "reason": item.reason,
        "first": None if outcome is None else _result(outcome.first),
        "confirmation": None if outcome is None or outcome.second is None else _result(outcome.second),
    }


def _result(result: MarginResult) -> dict[str, Any]:
    return {
        "blocks": result.blocks,
        "p": result.p,
        "failed": result.failed,
        "holds": result.holds,
        "estimate": result.estimate,
        "limit": result.limit,
        "within_error_ns": result.within_error_ns,
    }


def _line(line: AbLine) -> dict[str, Any]:
    verdict = line.judged.verdict
    figure = verdict.figure
    return {
        "case": line.judged.case.identity,
        "label": line.label,
        "figure": figure.name,
        "definition": figure.definition,
        "unit": figure.unit.value,
        "better": figure.better.value,
        "scale": figure.scale,
        "gated": line.gated,
        "verdict": verdict.kind.value,
        "provisional": verdict.provisional,
        "base": line.base,
        "head": line.head,
        "estimate": verdict.estimate,
        "low": verdict.low,
        "high": verdict.high,
        "blocks": verdict.blocks,
        "detectable": verdict.detectable,
        "blocks_needed": verdict.blocks_needed,
        "reason": verdict.reason,
    }
