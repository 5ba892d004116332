"""What hard users found: tables of their own, each with how to read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis import growth_table, hang_ups
from analysis.findings import Findings
from analysis.report.rows import Table
from results.run import Run
from results.trace import Trace


@dataclass(frozen=True, slots=True)
class NotedTable:
    """A table, and how to read it in one paragraph."""

    table: Table
    note: str


def hard_cases(run: Run, findings: Findings, traces: Sequence[Trace]) -> list[NotedTable]:
    """Clients that hang up, and memory over long windows: those of which the run has cases."""
    cases = [case.summary for case in findings.cases]
    found = [
        NotedTable(Table(hang_ups.CAPTION, *hang_ups.table(run, cases, traces)), hang_ups.NOTE),
        NotedTable(
            Table(
                growth_table.CAPTION,
                growth_table.HEADINGS,
                growth_table.rows(findings.growths),
                frozenset({5, 6}),
            ),
            growth_table.NOTE,
        ),
    ]
    return [item for item in found if item.table.rows]
