"""An ab as Markdown for a GitHub step summary: gates first, details folded, under 1 MiB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis import line_side, load_side
from analysis.ab.findings import AbFindings, AbLine, AbState
from analysis.ab.words import estimate_of, interval_of, of_gate, verdict_of
from analysis.exports.sections import Section, escaped, fitted, folded, table
from analysis.statistics.multiple import SCREENING_Q
from analysis.table import amount, setting
from analysis.verdicts.judgement import Kind
from results.sides import SideRecord

_GATE_WORDS = {
    AbState.WORSE: "❌ **worse**",
    AbState.INVALID: "⚠️ **invalid**",
    AbState.NOT_MEASURED_AGAIN: "⚠️ **not measured again**",
    AbState.NOT_CONFIRMED: "➖ not confirmed",
    AbState.NOT_WORSE: "✅ not worse",
}


def export(findings: AbFindings) -> str:
    """Sections in the order of what matters, the later ones cut where the summary would grow too long."""
    return with_evidence(findings, [])


def with_evidence(findings: AbFindings, evidence: Sequence[str]) -> str:
    """The same with these lines, which are Markdown already, before the table of every figure."""
    headings = ["case", "figure", "base", "head", "head over base", "interval", "verdict", "blocks"]
    return fitted(
        [
            Section([f"## {_title(findings)}"]),
            Section([_side(item) for item in findings.header.sides]),
            Section(list(_gates(findings))),
            Section(list(_doubts(findings))),
            Section([] if _told_apart(findings) else ["No figure of any case came out worse or better."]),
            table(["case", "figure", "head over base", "interval", "verdict"], _found(findings)),
            Section(list(_how_to_read(findings))),
            Section(evidence),
            folded("Every figure", table([*headings, "what it rests on"], _lines(findings))),
            folded(load_side.CAPTION, table(load_side.HEADINGS, _load(findings))),
            folded("Environment", table(["what", "value"], _environment(findings))),
        ]
    )


def _title(findings: AbFindings) -> str:
    name = f"{escaped(findings.header.suite)}, head against base"
    if not findings.gates:
        return f"{name}: no gate"
    counts = [f"{len(found)} {state}" for state in _GATE_WORDS if (found := findings.gates_that(state))]
    gates = f"{len(findings.gates)} gate{'s' if len(findings.gates) > 1 else ''}"
    return f"{name}: {', '.join(counts)} of {gates}"


def _side(item: SideRecord) -> str:
    return f"{item.side}: `{item.commit[:12]}` ({escaped(item.revision)})  "


def _gates(findings: AbFindings) -> Iterator[str]:
    for state, word in _GATE_WORDS.items():
        for gate in findings.gates_that(state):
            yield f"- {word}: {escaped(gate.gate.name)}: {escaped(of_gate(gate))}"
    for item in findings.not_judged:
        yield f"- ➖ not judged: {escaped(item.name)}: {escaped(item.reason)}"


def _doubts(findings: AbFindings) -> Iterator[str]:
    if findings.finished_utc is None:
        yield f"- ⚠️ **not complete**: {findings.trials} of {findings.planned} trials are measured"
    if findings.untrusted:
        yield "- ⚠️ **do not rely on it**: too many trials are invalid, or responses failed"
    for item in findings.unfit:
        yield (
            f"- ⚠️ **unfit machine**: base's {escaped(item.label)} came out {item.verdict.kind} than itself "
            f"in {item.verdict.figure.name}: {escaped(item.verdict.reason)}"
        )
    if findings.header.beside is not None:
        yield f"- ⚠️ **measured beside another streamgauge**: {escaped(findings.header.beside)}"
    for line in findings.bodies:
        yield f"- the bodies differ: {escaped(line)}"
    for (where, reason), count in findings.invalid.items():
        yield f"- invalid: {count} trial{'s' if count > 1 else ''} of {escaped(where)}: {escaped(reason)}"
    if findings.repeated_in_words is not None:
        yield f"- {findings.repeated_in_words}"
    for fault, count in findings.faults.items():
        yield f"- {escaped(fault)} ({count} trial{'s' if count > 1 else ''}): {escaped(fault.hint)}"
    for ours, theirs in (*load_side.doubts_of(findings.load), *line_side.doubts_of(findings.over_lines)):
        yield f"- {ours} ({escaped(theirs)})"


def _load(findings: AbFindings) -> Iterator[list[str]]:
    for row in load_side.rows(findings.load) if findings.load else []:
        yield [escaped(cell) for cell in row]


def _told_apart(findings: AbFindings) -> list[AbLine]:
    return [line for line in findings.lines if line.judged.verdict.kind in {Kind.WORSE, Kind.BETTER}]


def _found(findings: AbFindings) -> Iterator[list[str]]:
    for line in _told_apart(findings):
        name = line.judged.verdict.figure.name
        yield [escaped(line.label), name, estimate_of(line), interval_of(line), f"**{verdict_of(line)}**"]


def _how_to_read(findings: AbFindings) -> Iterator[str]:
    header = findings.header
    yield (
        "Head over base, block by block: the ratio, or for memory the difference. A gate that fails is "
        "measured once more in as many blocks, and has to fail again. What no gate names is screening "
        f"(Benjamini-Hochberg, q = {SCREENING_Q:g})."
    )
    yield ""
    yield (
        f"{header.blocks} blocks, windows of {header.window_s:g} s, seed {header.seed}, "
        f"{escaped(header.created_utc)}, streamgauge {escaped(header.version)}, run {escaped(header.run_id)}"
    )


def _lines(findings: AbFindings) -> Iterator[list[str]]:
    for line in findings.lines:
        verdict = line.judged.verdict
        yield [
            escaped(line.label),
            verdict.figure.name,
            amount(line.base, verdict.figure.unit),
            amount(line.head, verdict.figure.unit),
            estimate_of(line),
            interval_of(line),
            verdict_of(line),
            str(verdict.blocks),
            escaped(verdict.reason),
        ]


def _environment(findings: AbFindings) -> Iterator[list[str]]:
    yield ["command", escaped(" ".join(findings.header.command))]
    if findings.load is not None:
        yield ["load made", f"{findings.load.made}; {findings.load.clocks}"]
    for name, value in findings.header.environment.items():
        yield [escaped(name), escaped(setting(value))]
