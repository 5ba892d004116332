"""A history as a document: plain values, ready for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from analysis.runs.history import History, Point, changed_between

FORMAT: Final = "streamgauge.history.v1"


def history_document(found: History, unreadable: Sequence[str]) -> dict[str, Any]:
    """Everything that a history says, and a phrase for each store that could not be read.

    ``scale`` is ``ratio`` where a case is compared with its baseline by ratio, ``bytes`` where by difference.
    """
    return {
        "format": FORMAT,
        "unreadable": list(unreadable),
        "runs": [
            {
                "name": entry.name,
                "run_id": entry.run.header.run_id,
                "created_utc": entry.run.header.created_utc,
                "commit": entry.commit,
                "changed": changed_between(before.run, entry.run),
                "unfit": entry.unfit,
                "complete": entry.run.finished_utc is not None,
            }
            for before, entry in zip([*found.entries[:1], *found.entries], found.entries, strict=False)
        ],
        "series": [
            {
                "case": series.case.identity,
                "label": series.label,
                "figure": series.figure.name,
                "definition": series.figure.definition,
                "scale": series.figure.scale,
                "points": [_point(point) for point in series.points],
            }
            for series in found.series
        ],
    }


def _point(point: Point | None) -> dict[str, Any] | None:
    if point is None:
        return None
    own = point.verdict
    return {
        "estimate": own.estimate,
        "low": own.low,
        "high": own.high,
        "blocks": own.blocks,
        "since": point.before,
        "verdict_since": point.since.kind.value if point.since else None,
        "reason": own.reason,
    }
