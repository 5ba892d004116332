"""The tables of a report: every figure, the cases, what failed, and how it was measured."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis import load_side
from analysis.findings import CaseFinding, Findings
from analysis.load_side import called
from analysis.report.words import anchor, interval, word
from analysis.table import amount, amount_of, digits, effect, setting, times
from analysis.trial.tracing import delivery, tracing_cost
from results.metrics import Unit
from results.records import AS_PLANNED_LABELS
from results.run import Run, RunHeader, in_order
from results.trace import Trace

_NONE = "–"


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of one case. ``sort_*`` are what a column is sorted by, null where there is nothing."""

    anchor: str
    case: str
    chunk: str
    sort_chunk: float | None
    figure: str
    value: str
    sort_value: float | None
    effect: str
    sort_effect: float | None
    interval: str
    verdict: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Table:
    """A plain table under its caption; the first column is text, so are those named in ``texts``."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: frozenset[int] = frozenset()


def figure_rows(findings: Findings) -> list[FigureRow]:
    """Each figure that a case has, the cases in their order."""
    return [row for number, case in enumerate(findings.cases) for row in _rows_of_case(number, case)]


def _rows_of_case(number: int, case: CaseFinding) -> Iterator[FigureRow]:
    row = case.summary
    chunk = row.verification.median_chunk_bytes if row.verification else None
    for name, item in case.figures.items():
        verdict = item.verdict
        estimate = verdict.estimate if verdict else None
        if item.value is None and estimate is None:
            continue
        basis = "a gate rests on it; " if item.gated else ""
        basis += f"q = {item.q:.2g}; " if item.q is not None else ""
        yield FigureRow(
            anchor=anchor(number, name),
            case=row.label,
            chunk="whole" if row.case.is_baseline else amount(chunk, Unit.BYTES),
            sort_chunk=chunk,
            figure=name,
            value=amount_of(name, item.value, row.case),
            sort_value=item.value,
            effect=effect(estimate, item.figure) if verdict else "",
            sort_effect=estimate,
            interval=interval(verdict) if verdict else "",
            verdict=word(item),
            kind=verdict.kind.value.split()[0] if verdict else "whole",
            reason=f"{basis}{verdict.reason}" if verdict else "",
        )


def case_table(findings: Findings) -> Table:
    """What each case was, and how its trials went."""
    rows = []
    for case in findings.cases:
        row, found = case.summary, case.summary.verification
        rows.append(
            [
                row.label,
                f"{found.body_bytes:,} B" if found else _NONE,
                f"{found.chunks:,}" if found and found.chunks else _NONE,
                amount(found.first_chunk_bytes if found else None, Unit.BYTES),
                amount(found.median_chunk_bytes if found else None, Unit.BYTES),
                found.framing if found else _NONE,
                f"{row.trials:,}",
                f"{row.invalid:,}",
                f"{row.responses:,}",
                f"{row.failed:,}",
                f"{case.took_s:.0f} s",
            ]
        )
    rows += [
        [item.label, "fails as expected: " + (item.how or "not asked yet"), *[_NONE] * 9]
        for item in findings.expected_failures
    ]
    headings = "case,body,chunks,first chunk,median chunk,ended by,trials,invalid,responses,failed,took"
    return Table("What was asked, and what came back", headings.split(","), rows)


def failure_table(findings: Findings, outputs: Sequence[tuple[str, str]]) -> Table:
    """Invalid trials by reason, failed responses by how they ended, what was told, servers' last words."""
    rows = []
    for case in findings.cases:
        outcomes, others = (
            {name: count for name, count in found.items() if name not in AS_PLANNED_LABELS}
            for found in (case.outcomes, case.others_outcomes)
        )
        for kind, counts in (
            ("invalid trial", case.reasons),
            ("failed response", outcomes),
            ("told", case.errors),
            ("small request without an answer", others),
            ("told of small requests", case.others_errors),
        ):
            rows += [[case.summary.label, kind, what, f"{count:,}"] for what, count in counts.items()]
    rows += [[label, "the server printed", text, "1"] for label, text in outputs]
    return Table("Failures, by reason", ["case", "kind", "what", "times"], rows, frozenset({1, 2}))


def trace_table(run: Run, traces: Sequence[Trace], names: Mapping[str, str]) -> Table:
    """What the traced trials saw of delivery."""
    rows = []
    for trace in traces:
        if trace.reason is not None:
            continue
        figures = trace.figures
        share = figures.get("first_row_share")
        rows.append(
            [
                names.get(trace.case, trace.case),
                delivery(figures) or _NONE,
                _NONE if figures.get("yields") is None else digits(figures["yields"] or 0),
                amount(figures.get("chunk"), Unit.BYTES),
                amount(figures.get("delivery_lag_p50"), Unit.NANOSECONDS),
                amount(figures.get("delivery_lag_p95"), Unit.NANOSECONDS),
                _NONE if share is None else f"{share:.0%}",
                amount(figures.get("memory_growth_max"), Unit.BYTES),
                amount(figures.get("request_peak_missed"), Unit.BYTES),
                times(tracing_cost(run, trace, "ttlb")),
            ]
        )
    headings = [
        "case",
        "delivery",
        "yields",
        "chunk",
        "lag p50",
        "lag p95",
        "first row at",
        "one request's memory",
        "sampling missed",
        "tracing cost",
    ]
    return Table("Traced, apart from the timed trials", headings, rows, frozenset({1}))


def load_table(findings: Findings) -> Table:
    """Who made the load, of a run that has several load processes."""
    rows = load_side.rows(findings.load) if findings.load else []
    return Table(load_side.CAPTION, load_side.HEADINGS, rows, load_side.TEXTS)


def calibration_table(run: Run) -> Table:
    """The client's own error of TTFB; of several load processes that of each."""
    several = bool(run.workers) or any(point.worker for point in run.calibration)
    rows = [
        [
            *([called(point.worker, run.workers)] if several else []),
            f"{point.users}",
            "keeps on sending" if point.answers.value == "on" else "sends once",
            amount(point.error_p50_ns, Unit.NANOSECONDS),
            amount(point.error_p95_ns, Unit.NANOSECONDS),
            amount(point.error_p99_ns, Unit.NANOSECONDS),
            amount(point.loop_error_p50_ns, Unit.NANOSECONDS),
            f"{point.requests:,}",
        ]
        for point in run.calibration
    ]
    headings = ["users", "the server", "error p50", "p95", "p99", "an event loop's p50", "requests"]
    if several:
        caption = "The load processes' own error of TTFB, each on its machine"
        return Table(caption, ["worker", *headings], rows, frozenset({2}))
    return Table("The client's own error of TTFB on this machine", headings, rows, frozenset({1}))


def environment_table(header: RunHeader) -> Table:
    """The machine and its programs."""
    rows = [
        [
            name,
            amount(value, Unit.BYTES)
            if name.endswith("_bytes") and isinstance(value, int)
            else setting(value),
        ]
        for name, value in header.environment.items()
    ]
    return Table("The machine and its programs", ["what", "value"], rows, frozenset({1}))


def order_table(run: Run, names: Mapping[str, str]) -> Table:
    """In which order each block measured its cases."""
    blocks: dict[int, list[str]] = defaultdict(list)
    places = set()
    for slot in in_order(run.header.slots):
        again = " (again)" if slot.control else ""
        repeated = " (measured once more)" if slot.place in places else ""
        places.add(slot.place)
        blocks[slot.block].append(f"{names[slot.case]}{again}{repeated}")
    rows = [[f"{block + 1}", " · ".join(cases)] for block, cases in blocks.items()]
    return Table("The order, drawn from the seed", ["block", "cases"], rows, frozenset({1}))


def repeat_command(header: RunHeader) -> str:
    """What to type to measure the same in the same order."""
    words = list(header.command)
    if not any(item.split("=")[0] == "--seed" for item in words):
        words += ["--seed", str(header.seed)]
    return shlex.join(words)
