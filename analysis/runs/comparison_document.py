"""A comparison as a document: plain values, ready for JSON."""

from __future__ import annotations

from typing import Any, Final

from analysis.runs.comparison import Compared, Comparison
from analysis.statistics.multiple import SCREENING_Q
from results.run import Run

FORMAT: Final = "streamgauge.comparison.v1"


def comparison_document(comparison: Comparison, base: Run, head: Run) -> dict[str, Any]:
    """Everything that a comparison says; docs/metrics.md names the words.

    ``scale`` is ``ratio`` where arms are compared by ratio, ``bytes`` where by difference; ``base`` and
    ``head`` of an ``absolute`` line are in the figure's unit.
    """
    return {
        "format": FORMAT,
        **{
            side: {"run_id": run.header.run_id, "created_utc": run.header.created_utc, "commit": commit}
            for side, run, commit in zip(("base", "head"), (base, head), comparison.commits, strict=True)
        },
        "gaps": list(comparison.gaps),
        "changed": list(comparison.changed),
        "doubts": list(comparison.doubts),
        "left_out": list(comparison.left_out),
        "screening_q": SCREENING_Q,
        "lines": [_line(line) for line in comparison.lines],
    }


def _line(line: Compared) -> dict[str, Any]:
    found = line.screened
    return {
        "case": line.case.identity,
        "label": line.label,
        "figure": line.figure.name,
        "definition": line.figure.definition,
        "unit": line.figure.unit.value,
        "better": line.figure.better.value,
        "absolute": line.absolute,
        "shown_only": line.shown_only,
        "scale": line.figure.scale,
        "verdict": found.kind.value,
        "base": found.base,
        "head": found.head,
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        "base_blocks": found.base_blocks,
        "head_blocks": found.head_blocks,
        "margin": found.margin,
        "p": found.p,
        "detectable": found.detectable,
        "blocks_needed": found.blocks_needed,
        "reason": found.reason,
    }
