"""A report's whole content, computed from a stored run alone; how it looks is for `page` and `markdown`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.findings import Findings, GateFinding
from analysis.others_table import CAPTION, HEADINGS
from analysis.others_table import rows as cost_rows
from analysis.plots.picture import Absent, Picture
from analysis.report.answer import Answer, answer
from analysis.report.choices import choices
from analysis.report.doubts import doubts
from analysis.report.hard import NotedTable, hard_cases
from analysis.report.pictures import Source, pictures
from analysis.report.rows import (
    FigureRow,
    Table,
    calibration_table,
    case_table,
    environment_table,
    failure_table,
    figure_rows,
    load_table,
    order_table,
    repeat_command,
    trace_table,
)
from analysis.report.words import Sentence
from analysis.statistics.multiple import SCREENING_Q
from analysis.summary import labels
from analysis.table import amount, digits, times
from analysis.verdicts.detectable import Detectable, detectable_changes
from analysis.verdicts.gate import interval_name
from results.metrics import FIGURES
from results.records import AS_PLANNED_LABELS
from results.run import Run
from results.store import Store
from results.terms import Terms

#: Of so many servers' trials that failed, the last words are shown.
_MOST_OUTPUTS = 10
#: The columns of what streams cost others that are more than a number.
_COST_TEXTS = frozenset({3, len(HEADINGS) - 1})


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says, in its order.

    ``facts`` are pairs of what and value. ``pictures`` holds what was left out, too. ``hard`` is what hard
    users found: empty where there were none.
    """

    findings: Findings
    answers: Sequence[Answer]
    gates: Sequence[GateFinding]
    doubts: Sequence[Sentence]
    pictures: Sequence[Picture | Absent]
    hard: Sequence[NotedTable]
    rows: Sequence[FigureRow]
    costs: Table
    cases: Table
    failures: Table
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Table]
    command: str


def report(store: Store, run: Run, findings: Findings) -> Report:
    """The report on the run in this store, whose ``findings`` were made from it."""
    chosen = choices(run, findings)
    traces = store.traces()
    names = labels([case for case in run.header.cases if not case.expect_failure])
    return Report(
        findings=findings,
        answers=[answer(number + 1, choice, findings) for number, choice in enumerate(chosen)],
        gates=findings.gates,
        doubts=doubts(run, findings, chosen, traces, names),
        pictures=pictures(Source(run, findings, chosen, traces, store)),
        hard=hard_cases(run, findings, traces),
        rows=figure_rows(findings),
        costs=Table(CAPTION, HEADINGS, cost_rows(findings), _COST_TEXTS),
        cases=case_table(findings),
        failures=failure_table(findings, _outputs(store, run, names)),
        facts=_facts(run, findings),
        tables=[
            table
            for table in (
                trace_table(run, traces, names),
                load_table(findings),
                calibration_table(run),
                environment_table(run.header),
                order_table(run, names),
            )
            if table.rows
        ],
        command=repeat_command(run.header),
    )


def _outputs(store: Store, run: Run, names: dict[str, str]) -> list[tuple[str, str]]:
    """What the servers of the first failed trials printed last."""
    failed = [
        trial
        for trial in run.trials
        if trial.reason is not None and (not trial.outcomes or set(trial.outcomes) - AS_PLANNED_LABELS)
    ]
    found = [
        (names[trial.slot.case], store.server_output(trial.slot.position)) for trial in failed[:_MOST_OUTPUTS]
    ]
    return [(name, text) for name, text in found if text.strip()]


def _facts(run: Run, findings: Findings) -> list[tuple[str, str]]:
    header = run.header
    valid = findings.trials - findings.invalid
    return [
        ("suite", header.suite),
        ("made", f"{header.created_utc} by streamgauge {header.version}"),
        (
            "trials",
            f"{valid:,} of {findings.planned:,} planned are measured and valid, {findings.invalid} invalid",
        ),
        ("blocks", f"{header.blocks}; each measures every case once, and each whole form twice"),
        ("window", f"{header.window_s:g} s, after a warm-up of {header.warmup_s:g} s"),
        ("seed", f"{header.seed}, which the order is drawn from"),
        *_load_facts(findings),
        ("servers ran as", ", ".join(findings.ran_as) or "the server did not say"),
        ("verdicts", _verdicts(header.terms)),
        ("could have seen", _detectable(detectable_changes(run))),
        ("run", header.run_id),
    ]


def _load_facts(findings: Findings) -> list[tuple[str, str]]:
    load = findings.load
    return [] if load is None else [("load made", load.made), ("clocks", load.clocks)]


def _verdicts(terms: Terms) -> str:
    medians, tails = FIGURES["ttfb_p50"].margin, FIGURES["ttfb_p95"].margin
    memory = FIGURES["peak_memory"].margin
    least = amount(memory.least, FIGURES["peak_memory"].unit)
    return (
        f"worse or better: the {interval_name(terms)} over the blocks lies beyond the margin; same: the "
        f"{interval_name(terms, same=True)} lies inside. Margins: {medians.share:.0%}, of a p95 "
        f"{tails.share:.0%}, of memory the larger of "
        f"{memory.share:.0%} and {least}. What no gate rests on is screening (Benjamini-Hochberg, "
        f"q = {SCREENING_Q:g}); a ? may be chance"
    )


def _detectable(changes: Sequence[Detectable]) -> str:
    if not changes:
        return "nothing: it has too few valid blocks"
    told = [
        f"+{amount(item.change, item.figure.unit)} in {item.figure.name}"
        if item.figure.by_difference
        else f"{times(item.change)} in {item.figure.name}"
        for item in changes
    ]
    return f"a change for the worse of {', '.join(told)} (in its noisiest case)"


def gate_words(gate: GateFinding) -> str:
    """What was measured against which limit, or why it was not judged."""
    if gate.result is None or gate.figure is None:
        return gate.reason or ""
    unit = gate.figure.unit
    measured = f"{amount(gate.result.figure, unit)} against a limit of {amount(gate.result.limit, unit)}"
    return f"{measured} (p = {digits(gate.result.p)}, Holm)"
