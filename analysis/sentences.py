"""The answer to "does streaming pay here?" in sentences, each computed from a run's verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.buffers.recommend import Recommendation
from analysis.findings import CaseFinding, Findings
from analysis.first_sight import ROW, first_sight
from analysis.scope import why_without
from analysis.table import digits, effect, span
from analysis.verdicts.judgement import Kind, Verdict
from results.metrics import FIGURES

#: What a first byte may cost, in the order in which it is told.
_COSTS = {
    "throughput": "throughput",
    "cpu_per_mb": "CPU per MB",
    "peak_memory": "peak memory",
    "others_ttlb_p50": "the wait of others",
    "others_unanswered": "others without an answer",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run says of one whole form: ``label`` is its name, ``stream`` the case that was held against it.

    ``sentences`` are plain text, one or two. ``stream`` is null where nothing streamed was measured.
    """

    label: str
    stream: str | None
    sentences: Sequence[str]


def answers(findings: Findings, recommended: Sequence[Recommendation]) -> list[Answer]:
    """One for each whole form of the run, in the suite's order.

    Its streamed form is the recommended buffer where there is one, and else the one with the most throughput.
    """
    chosen = {size.case.identity for item in recommended for size in item.chosen[:1]}
    found = []
    for whole in findings.cases:
        if whole.summary.case.is_baseline and not whole.summary.control:
            streams = [
                item
                for item in findings.cases
                if item.summary.case.baseline == whole.summary.case.identity and not item.summary.control
            ]
            found.append(_answer(whole, streams, chosen))
    return found


def _answer(whole: CaseFinding, streams: Sequence[CaseFinding], chosen: set[str]) -> Answer:
    label = whole.summary.label
    if not streams:
        return Answer(label, None, [f"{label}: no streamed form of it was measured"])
    first = max(streams, key=lambda item: (item.summary.case.identity in chosen, _throughput(item)))
    name = first.summary.label
    for item in (whole, first):
        if item.untrusted:
            return Answer(label, name, [f"{item.summary.label}: no answer: {item.untrusted}"])
    return Answer(label, name, list(_sentences(name, first)))


def _throughput(item: CaseFinding) -> float:
    return item.figures["throughput"].value or 0.0


def _sentences(name: str, found: CaseFinding) -> Iterator[str]:
    case = found.summary.case
    verdicts = {
        figure: finding.verdict
        for figure, finding in found.figures.items()
        if finding.verdict is not None and finding.verdict.estimate is not None
    }
    chance = {
        figure: ", which may be chance among so many comparisons" if finding.may_be_chance else ""
        for figure, finding in found.figures.items()
    }
    sight = first_sight(case, verdicts)
    first = verdicts.get(sight)
    costs = [
        f"{words} {_judged(verdicts[figure])}{chance[figure]}"
        for figure, words in _COSTS.items()
        # where all are answered on both sides, nobody asks
        if figure in verdicts and (figure != "others_unanswered" or verdicts[figure].estimate)
    ]
    if first is None and costs and why_without(FIGURES["throughput"], case):
        yield f"{name}, to readers who set the pace: {'; '.join(costs)}"
        return
    if first is None:
        yield f"{name}: no answer: no block has a first byte of it and one of the whole form"
    else:
        only = " (its first byte comes before it has a row to show)" if sight == ROW else ""
        yield f"{name}: {_first(first, 'row' if sight == ROW else 'byte')}{chance[sight]}{only}"
    if costs:
        yield f"Besides: {'; '.join(costs)}"


def _first(verdict: Verdict, what: str) -> str:
    assert verdict.estimate is not None  # noqa: S101  - asked before
    match verdict.kind:
        case Kind.BETTER:
            said = (
                f"the first {what} comes {digits(1 / verdict.estimate)} times sooner than from the whole form"
            )
        case Kind.WORSE:
            said = f"the first {what} comes {digits(verdict.estimate)} times later than from the whole form"
        case Kind.SAME:
            said = f"the first {what} comes when that of the whole form does"
        case Kind.UNDECIDED:
            said = f"whether the first {what} comes sooner than from the whole form is undecided"
        case Kind.ESTIMATE_ONLY:
            said = (
                f"no verdict on its first {what} ({verdict.reason}), only an estimate against the whole form"
            )
    provisional = f"; provisional, with only {verdict.blocks} blocks" if verdict.provisional else ""
    return f"{said}: {_with_interval(verdict)}{provisional}"


def _judged(verdict: Verdict) -> str:
    """The verdict and what it rests on: better, ×1.07 (×1.06 to ×1.08)."""
    if verdict.kind is Kind.ESTIMATE_ONLY:
        return f"about {_with_interval(verdict)}, no verdict"
    return f"{verdict.kind}, {_with_interval(verdict)}"


def _with_interval(verdict: Verdict) -> str:
    ends = span(verdict.low, verdict.high, verdict.figure)
    return effect(verdict.estimate, verdict.figure) + (f" ({ends})" if ends else "")
