"""What makes a run's figures doubtful, loudest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from analysis import line_side, load_side
from analysis.findings import Findings, GateState
from analysis.report.choices import Choice
from analysis.report.words import Link, Name, Sentence, anchor, doubt, firm
from analysis.scope import headline_of
from analysis.verdicts.judgement import Kind
from results.run import Run
from results.trace import Trace


def doubts(
    run: Run, findings: Findings, choices: Sequence[Choice], traces: Sequence[Trace], names: Mapping[str, str]
) -> list[Sentence]:
    """A sentence for each; ``names`` are the cases' labels by identity."""
    return [
        *_of_the_run(run, findings),
        *_of_traces(findings, traces, names),
        *_of_figures(findings, choices),
    ]


def _of_the_run(run: Run, findings: Findings) -> Iterator[Sentence]:
    if findings.finished_utc is None:
        yield [f"The run is not complete: {findings.trials} of {findings.planned} trials are measured."]
    for case in findings.cases:
        if case.untrusted is not None:
            yield ["Do not rely on ", Name(case.summary.label), ": ", Name(case.untrusted), "."]
    for item in findings.unfit:
        yield [
            "The machine was unfit: ",
            Name(item.label),
            f" came out {item.verdict.kind} than itself in {item.verdict.figure.name}: ",
            Name(item.verdict.reason),
            ". Do not rely on differences of this size.",
        ]
    if findings.header.beside is not None:
        yield [
            "Another streamgauge measured on the machine meanwhile (",
            Name(findings.header.beside),
            "): each disturbed the other.",
        ]
    for gate in findings.gates_that(GateState.INVALID):
        yield ["A gate cannot be judged: ", Name(gate.name), ": ", Name(gate.reason or ""), "."]
    if findings.invalid:
        yield [
            f"{findings.invalid_in_words} and left out of all figures; ",
            Link("their reasons", "failures"),
            " are below.",
        ]
    yield from _of_faults(findings)
    yield from of_the_load(run, findings)


def of_the_load(run: Run, findings: Findings) -> Iterator[Sentence]:
    """What is doubtful in how it came: from where, by how many, and how sure they are."""
    remote = run.header.environment.get("remote_targets")
    if isinstance(remote, dict) and remote:
        places = ", ".join(f"{target} at {place}" for target, place in remote.items())
        yield [
            "Not over loopback: times of ",
            Name(places),
            " hold the network between the load and there, and of its memory and CPU nothing is known.",
        ]
    for ours, theirs in (*load_side.doubts_of(findings.load), *line_side.doubts_of(findings.lines)):
        yield [f"{ours[0].upper()}{ours[1:]}: ", Name(theirs), "."]
    if not run.calibration:
        yield ["The client's own error was not measured: small differences of times may be the client's."]


def _of_faults(findings: Findings) -> Iterator[Sentence]:
    for fault, count in findings.faults.items():
        yield [f"{count} trial{'s' if count > 1 else ''}: ", Name(fault.value), f". {fault.hint}"]


def _of_traces(findings: Findings, traces: Sequence[Trace], names: Mapping[str, str]) -> Iterator[Sentence]:
    timed = {case.summary.case.identity for case in findings.cases}
    for trace in traces:
        if trace.reason is not None:
            yield ["Not traced: ", Name(names.get(trace.case, trace.case)), ": ", Name(trace.reason), "."]
        if trace.note is not None:
            yield ["Of the trace of ", Name(names.get(trace.case, trace.case)), ": ", Name(trace.note), "."]
    if missing := timed - {trace.case for trace in traces}:
        yield [f"{len(missing)} of {len(timed)} cases have no traced trial."]


def _of_figures(findings: Findings, choices: Sequence[Choice]) -> Iterator[Sentence]:
    """Of the streams that are spoken of: what is undecided, and what may be chance."""
    for choice in choices:
        number = findings.cases.index(choice.stream)
        for name in headline_of(choice.stream.summary.case):
            item = choice.stream.figures[name]
            verdict = item.verdict
            if verdict is None or verdict.kind in {Kind.SAME, Kind.ESTIMATE_ONLY} or firm(item):
                continue
            label = Name(choice.stream.summary.label)
            figure = Link(name, anchor(number, name))
            if verdict.kind is Kind.UNDECIDED:
                yield ["Undecided: ", figure, " of ", label, ": ", Name(verdict.reason), "."]
            else:
                yield [f"{verdict.kind.capitalize()}, but {doubt(item)}: ", figure, " of ", label, "."]
