"""The answer of a run in sentences: does streaming pay here, by how much, with which buffer, at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from analysis.buffers.families import Size
from analysis.buffers.recommend import Recommendation
from analysis.findings import CaseFinding, FigureFinding, Findings
from analysis.first_sight import BYTE, ROW, first_sight
from analysis.report.choices import Choice
from analysis.report.words import Link, Name, Sentence, anchor, doubt, firm, interval, value, word
from analysis.table import amount, effect
from analysis.verdicts.gate import interval_name
from analysis.verdicts.judgement import Kind
from results.metrics import Unit

#: What is said of a figure, with the values of the stream and of the whole form.
_SAID = {
    "ttfb_p50": ("The first byte comes after ", " instead of "),
    "ttfr_p50": ("The first byte comes before it has a row to show: the first row after ", " instead of "),
    "ttfb_effective_p50": (
        "Counted from when the schedule wanted it, the first byte comes after ",
        " instead of ",
    ),
    "throughput": ("The throughput is ", " instead of "),
    "peak_memory": ("The worker grows by ", " instead of "),
    "cpu_per_mb": ("The CPU needs ", " instead of "),
    "others_ttlb_p50": ("A small request beside it waits ", " instead of "),
    "worker_held": ("The worker is held for ", " instead of "),
    "others_unanswered": ("The small requests without an answer are ", " instead of "),
}
#: What better and worse mean, in the headline.
_GAIN = {
    "ttfb_p50": ("an earlier first byte", "a later first byte"),
    "ttfr_p50": ("an earlier first row", "a later first row"),
    "ttfb_effective_p50": ("an earlier first byte on schedule", "a later first byte on schedule"),
    "throughput": ("more throughput", "throughput"),
    "peak_memory": ("less memory", "memory"),
    "cpu_per_mb": ("less CPU", "CPU"),
    "others_ttlb_p50": ("shorter waits of others", "longer waits of others"),
    "worker_held": ("a worker that is held for less", "a worker that is held for longer"),
    "others_unanswered": ("fewer others without an answer", "others without an answer"),
}


_NAMED = {
    "ttfb_p50": "first byte",
    "ttfr_p50": "first row",
    "ttfb_effective_p50": "first byte on schedule",
    "throughput": "throughput",
    "peak_memory": "memory",
    "cpu_per_mb": "CPU",
    "others_ttlb_p50": "waits of others",
    "worker_held": "how long the worker is held",
    "others_unanswered": "others without an answer",
}


class Outcome(StrEnum):
    """Whether streaming pays, in the words of the headline."""

    PAYS = "pays"
    TRADES = "is a trade"
    COSTS = "does not pay"
    EQUAL = "makes no difference"
    UNDECIDED = "is undecided"
    INVALID = "cannot be judged"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run says of one stream against its whole form.

    ``headline`` is the answer in one sentence; ``figures`` says of each headline figure by how much;
    ``buffer`` which buffer to take, and why; ``others`` what each other one would do. ``anchor`` is unique.
    """

    anchor: str
    outcome: Outcome
    headline: Sentence
    figures: Sequence[Sentence]
    buffer: Sentence | None
    others: Sequence[Sentence]


def answer(number: int, choice: Choice, findings: Findings) -> Answer:
    """The answer on one choice; ``number`` makes its anchor unique."""
    of_stream, of_whole = (findings.cases.index(case) for case in (choice.stream, choice.whole))
    verdicts = {name: item.verdict for name, item in choice.stream.figures.items()}
    unseen = {BYTE, ROW} - {first_sight(choice.stream.summary.case, verdicts)}
    items = [
        (name, choice.stream.figures[name])
        for name in _SAID
        if name not in unseen
        and choice.stream.figures[name].value is not None
        and choice.whole.figures[name].value is not None
        # where all are answered on both sides, nobody asks
        and (
            name != "others_unanswered"
            or choice.stream.figures[name].value
            or choice.whole.figures[name].value
        )
    ]
    untrusted = [case for case in (choice.stream, choice.whole) if case.untrusted is not None]
    interval_is = interval_name(findings.header.terms)
    outcome = Outcome.INVALID if untrusted else _outcome([item for _, item in items])
    of_itself = {
        item.verdict.figure.name: item.verdict.kind
        for item in findings.unfit
        if item.label == f"{choice.whole.summary.label} (again)"
    }
    return Answer(
        anchor=f"answer-{number}",
        outcome=outcome,
        headline=_invalid(choice, untrusted) if untrusted else _headline(choice, outcome, items),
        figures=[
            [
                *_figure(name, item, (of_stream, choice.stream), (of_whole, choice.whole), interval_is),
                *_unfit(of_itself.get(name)),
            ]
            for name, item in items
        ],
        buffer=_buffer(choice, choice.recommendation) if choice.recommendation else None,
        others=_others(choice.recommendation, findings) if choice.recommendation else [],
    )


def _outcome(items: Sequence[FigureFinding]) -> Outcome:
    kinds = {item.verdict.kind for item in items if item.verdict is not None and firm(item)}
    if kinds == {Kind.BETTER}:
        return Outcome.PAYS
    if kinds == {Kind.WORSE}:
        return Outcome.COSTS
    if kinds:
        return Outcome.TRADES
    if items and all(item.verdict is not None and item.verdict.kind is Kind.SAME for item in items):
        return Outcome.EQUAL
    return Outcome.UNDECIDED


def _invalid(choice: Choice, untrusted: Sequence[CaseFinding]) -> Sentence:
    out: list[str | Link | Name] = [
        Name(choice.stream.summary.label),
        f": streaming {Outcome.INVALID}. Do not rely on these figures",
    ]
    for case in untrusted:
        out += ["; ", Name(case.summary.label), ": ", Name(case.untrusted or "")]
    return [*out, "."]


def _unfit(kind: Kind | None) -> Sentence:
    """What a figure's sentence ends with where the whole form came out ``kind`` than itself."""
    if kind is None:
        return []
    return [f" The whole form came out {kind} than itself in this: the machine was unfit for it."]


def _headline(choice: Choice, outcome: Outcome, items: Sequence[tuple[str, FigureFinding]]) -> Sentence:
    gains = [_GAIN[name][0] for name, item in items if firm(item) and _kind(item) is Kind.BETTER]
    costs = [_GAIN[name][1] for name, item in items if firm(item) and _kind(item) is Kind.WORSE]
    open_ones = [_NAMED[name] for name, item in items if not firm(item) and _kind(item) is not Kind.SAME]
    start: Sentence = [Name(choice.stream.summary.label), f": streaming {outcome}"]
    match outcome:
        case Outcome.PAYS:
            rest = f". It brings {_listed(gains)}, and costs nothing that this run could tell"
        case Outcome.TRADES:
            rest = f". It brings {_listed(gains)}, and costs {_listed(costs)}"
        case Outcome.COSTS:
            rest = f". It costs {_listed(costs)}, and brings nothing that this run could tell"
        case Outcome.EQUAL:
            rest = ". In all headline figures it is the same as the whole form"
        case _:
            rest = ". This run cannot tell it from the whole form with certainty"
    if open_ones and outcome is not Outcome.UNDECIDED:
        rest += f" ({_listed(open_ones)} undecided)"
    return [*start, f"{rest}."]


def _figure(
    name: str,
    item: FigureFinding,
    stream: tuple[int, CaseFinding],
    whole: tuple[int, CaseFinding],
    interval_is: str,
) -> Sentence:
    before, between = _SAID[name]
    out: list[str | Link | Name] = [before, value(*stream, name), between, value(*whole, name)]
    verdict = item.verdict
    if verdict is None or verdict.estimate is None:
        return [*out, "."]
    ends = interval(verdict)
    found = Link(effect(verdict.estimate, verdict.figure), anchor(stream[0], name))
    out += [": ", found, f" ({interval_is} {ends})" if ends else "", ", ", word(item)]
    if verdict.kind is Kind.ESTIMATE_ONLY:
        return [*out, ": ", Name(verdict.reason), "."]
    why = doubt(item)
    return [*out, f": {why}." if why else "."]


def _buffer(choice: Choice, recommendation: Recommendation) -> Sentence:
    reason = recommendation.reason
    if choice.recommended:
        return ["Recommended buffer: ", Name(reason), "."]
    taken = ". The figures above are those of the one with the highest throughput, "
    return [Name(reason[:1].upper() + reason[1:]), taken, Name(choice.stream.summary.label), "."]


def _others(recommendation: Recommendation, findings: Findings) -> Sequence[Sentence]:
    numbers = {
        case.summary.case.identity: number
        for number, case in enumerate(findings.cases)
        if not case.summary.control
    }
    return [
        [
            Link(buffer.size.name, anchor(numbers[buffer.size.case.identity], "throughput")),
            f" ({_chunks(buffer.size)})",
            ": " if buffer.verdict else "",
            Name(buffer.verdict),
            _share(buffer.standing.share) if buffer.standing is not None else "",
        ]
        for buffer in recommendation.buffers
    ]


def _share(share: float) -> str:
    return f" ({share:.0%} of resampled blocks choose it)" if share else ""


def _chunks(size: Size) -> str:
    if size.median_chunk_bytes is None:
        return "not chunked on the wire"
    first, middle = (amount(item, Unit.BYTES) for item in (size.first_chunk_bytes, size.median_chunk_bytes))
    return f"{middle} a chunk, {first} the first"


def _kind(item: FigureFinding) -> Kind | None:
    return None if item.verdict is None else item.verdict.kind


def _listed(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
