"""The table of what streams cost the others, as text: for a terminal, a page, and Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.findings import CaseFinding, Findings
from analysis.others import ALONE, BESIDE, OthersCost
from analysis.scope import is_patience
from analysis.table import amount_of, effect, span
from analysis.verdicts.judgement import Kind, Verdict

CAPTION = "What it costs the others"
HEADINGS = (
    "case",
    "alone",
    "beside it",
    "costs",
    "p95",
    "worker held",
    "no answer",
    "memory held",
    "to the whole form",
)
#: How to read it, in one paragraph.
NOTE = (
    "Small requests come on schedule, first alone and then beside the responses: their median wait in both, "
    "and what it costs, by the ratio within each trial. A > stands where they were given up: the truth is "
    "more. The worker is held for as long as somebody waits and nobody is answered, the longest time in a "
    "trial's window. The last column is the wait beside a stream against that beside its whole form."
)


def rows(findings: Findings) -> list[Sequence[str]]:
    """A row for each case that has others, with the cells of HEADINGS; none where no case has."""
    by_identity = {case.summary.case.identity: case for case in findings.cases if not case.summary.control}
    return [_row(cost, by_identity[cost.summary.case.identity]) for cost in findings.costs]


def _row(cost: OthersCost, case: CaseFinding) -> Sequence[str]:
    against_whole = case.figures[BESIDE].verdict
    return [
        cost.summary.label,
        _value(cost, ALONE),
        _value(cost, BESIDE),
        _costs(cost),
        _value(cost, "others_ttlb_p95"),
        _value(cost, "worker_held"),
        _value(cost, "others_unanswered"),
        _value(cost, "peak_memory"),
        "" if against_whole is None else judged(against_whole),
    ]


def _value(cost: OthersCost, name: str) -> str:
    return amount_of(name, cost.summary.estimates[name].value, cost.summary.case)


def _costs(cost: OthersCost) -> str:
    """The verdict on them; where they were given up, so is the wait that it is made of."""
    told = judged(cost.verdict)
    given_up = is_patience(BESIDE, cost.summary.estimates[BESIDE].value, cost.summary.case)
    return f"> {told}" if given_up and cost.verdict.estimate is not None else told


def judged(verdict: Verdict) -> str:
    """A verdict in a cell: ×31 (×28 to ×33), worse."""
    if verdict.estimate is None:
        return "–"
    ends = span(verdict.low, verdict.high, verdict.figure)
    text = effect(verdict.estimate, verdict.figure) + (f" ({ends})" if ends else "")
    if verdict.kind is Kind.ESTIMATE_ONLY:
        return f"{text}, no verdict"
    return f"{text}, {verdict.kind}{', provisional' if verdict.provisional else ''}"
