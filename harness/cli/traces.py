"""The table of traced trials that ``streamgauge show`` prints."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.table import Table
from rich.text import Text

from analysis.exports.printable import printable_lines
from analysis.summary import labels
from analysis.table import amount, digits, times
from analysis.trial.tracing import delivery, tracing_cost
from harness.cli.prose import say
from harness.cli.tables import print_rows
from results.metrics import Unit
from results.run import Run
from results.trace import Trace

_HEADINGS = (
    "case",
    "yields",
    "chunk",
    "lag p50",
    "p95",
    "max",
    "error",
    "delivery",
    "first row at",
    "close()",
    "memory",
    "greatest",
    "missed",
    "cost TTFB",
    "TTLB",
)


def print_traces(run: Run, traces: Sequence[Trace]) -> None:
    """One row for each traced case, and what cannot be shown of it; nothing where nothing was traced."""
    if not traces:
        return
    names = labels([case for case in run.header.cases if not case.expect_failure])
    table = Table(show_edge=False, pad_edge=False)
    for number, heading in enumerate(_HEADINGS):
        table.add_column(heading, justify="right" if number else "left", no_wrap=True)
    for trace in traces:
        if trace.reason is None:
            table.add_row(*(Text(cell) for cell in _cells(run, trace, names[trace.case])))
    click.echo()
    say("Traced, one user, apart from the timed trials (docs/metrics.md, Traced trials):")
    if table.rows:
        print_rows(table)
    for trace in traces:
        if trace.reason is not None:
            say(f"not traced: {names[trace.case]}: {printable_lines(trace.reason)}")
        if trace.note is not None:
            say(f"{names[trace.case]}: {trace.note}")


def _cells(run: Run, trace: Trace, name: str) -> list[str]:
    figures = trace.figures

    def shown(figure: str, unit: Unit) -> str:
        return amount(figures.get(figure), unit)

    yields, share = figures.get("yields"), figures.get("first_row_share")
    return [
        name,
        "–" if yields is None else digits(yields),
        shown("chunk", Unit.BYTES),
        shown("delivery_lag_p50", Unit.NANOSECONDS),
        shown("delivery_lag_p95", Unit.NANOSECONDS),
        shown("delivery_lag_max", Unit.NANOSECONDS),
        shown("delivery_lag_error_p95", Unit.NANOSECONDS),
        delivery(figures) or "–",
        "–" if share is None else f"{share:.0%}",
        shown("close_lag", Unit.NANOSECONDS),
        shown("memory_growth_p50", Unit.BYTES),
        shown("memory_growth_max", Unit.BYTES),
        shown("request_peak_missed", Unit.BYTES),
        times(tracing_cost(run, trace, "ttfb")),
        times(tracing_cost(run, trace, "ttlb")),
    ]
