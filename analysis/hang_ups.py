"""What it does to a server when clients hang up, as a table: for a terminal, a page, and Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis.summary import CaseSummary, valid_by_block
from analysis.table import amount, digits
from results.metrics import FIGURES, Unit
from results.run import Run
from results.trace import Trace

CAPTION = "When clients hang up"
_HEADINGS = (
    "case",
    "hung up",
    "next answer p50",
    "p95",
    "no answer",
    "kept",
    "peak memory",
)
_TRACED_HEADINGS = ("close() called", "after", "yields after", "all yielded before")
#: How to read it, in one paragraph.
NOTE = (
    "Each client leaves in the middle of its response and asks something small next, on a new connection: "
    "how long after the hang-up that is answered, and how often it is not. There is no throughput and no "
    "time to a last byte: nothing comes to its end. Whether close() was called on the app's response, how "
    "long after the hang-up, and how often the app yielded after it, is from the traced trial. Where the app "
    "had yielded all before, the rest lay with the kernel, and nobody had to be told."
)
_NONE = "–"


def table(
    run: Run, cases: Sequence[CaseSummary], traces: Sequence[Trace]
) -> tuple[Sequence[str], list[Sequence[str]]]:
    """The headings, and a row for each of these cases whose clients hang up; without controls.

    What only a traced trial tells is left out where no case has one.
    """
    shown = [row for row in cases if row.case.parameters.get("scenario") == "hang-up" and not row.control]
    by_case = {trace.case: trace.figures for trace in traces if trace.reason is None}
    if not any(row.case.identity in by_case for row in shown):
        return _HEADINGS, [_row(run, row) for row in shown]
    return (*_HEADINGS, *_TRACED_HEADINGS), [
        [*_row(run, row), *_traced(by_case.get(row.case.identity, {}))] for row in shown
    ]


def _row(run: Run, row: CaseSummary) -> Sequence[str]:
    trials = valid_by_block(run, row.case.identity).values()
    counts = [trial.follow_ups.hang_ups for trial in trials if trial.follow_ups is not None]

    def value(name: str) -> str:
        return amount(row.estimates[name].value, FIGURES[name].unit)

    return [
        row.label,
        f"{sum(counts):,}" if counts else _NONE,
        value("served_after_p50"),
        value("served_after_p95"),
        value("unserved"),
        value("retained"),
        value("peak_memory"),
    ]


def _traced(traced: Mapping[str, float | None]) -> Sequence[str]:
    return [
        _closed(traced),
        amount(traced.get("close_lag"), Unit.NANOSECONDS),
        _plain(traced.get("yields_after")),
        _share(traced.get("ended_before")),
    ]


def _closed(traced: Mapping[str, float | None]) -> str:
    hung_up, unclosed = traced.get("hung_up"), traced.get("not_closed")
    if hung_up is None or unclosed is None:
        return _NONE
    return f"{round(hung_up * (1 - unclosed))} of {round(hung_up)}"


def _plain(value: float | None) -> str:
    return _NONE if value is None else digits(value)


def _share(value: float | None) -> str:
    return _NONE if value is None else f"{value:.0%}"


def trace_in_words(figures: Mapping[str, float | None]) -> str:
    """What one traced trial saw of hang-ups."""
    lag = amount(figures.get("close_lag"), Unit.NANOSECONDS)
    yields = _plain(figures.get("yields_after"))
    return (
        f"close() called after {_closed(figures)} hang-ups, {lag} later, {yields} yields after them (medians)"
    )
