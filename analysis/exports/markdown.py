"""Markdown for a GitHub step summary: verdicts first, details folded, under 1 MiB whatever the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis import line_side, load_side, others_table
from analysis.exports.sections import Section, escaped, fitted, folded, table
from analysis.findings import CaseFinding, FigureFinding, Findings, GateFinding, GateState
from analysis.scope import headline_of
from analysis.statistics.multiple import SCREENING_Q
from analysis.table import amount, amount_of, effect, setting
from analysis.verdicts.judgement import Kind
from results.metrics import Unit
from results.records import AS_PLANNED_LABELS

_HEADINGS = {
    "ttfb_p50": "TTFB p50",
    "ttfb_p95": "TTFB p95",
    "throughput": "throughput",
    "peak_memory": "peak memory",
    "cpu_per_mb": "CPU per MB",
    "others_ttlb_p50": "others' wait p50",
    "worker_held": "worker held",
    "others_unanswered": "others unanswered",
}
_GATE_WORDS = {
    GateState.WORSE: "❌ **worse**",
    GateState.INVALID: "⚠️ **invalid**",
    GateState.NOT_JUDGED: "➖ not judged",
    GateState.NOT_WORSE: "✅ not worse",
}


def export(findings: Findings) -> str:
    """Sections in the order of what matters, the later ones cut where the summary would grow too long."""
    shown = _shown(findings)
    headings = [_HEADINGS[name] for name in shown]
    return fitted(
        [
            Section([f"## {_title(findings)}"]),
            Section([_gate(gate) for state in _GATE_WORDS for gate in findings.gates_that(state)]),
            Section(list(_doubts(findings))),
            table(["case", *headings], (_verdicts(case, shown) for case in findings.cases)),
            Section(list(_how_to_read(findings))),
            folded("Figures", table(["case", "chunk", *headings, "trials"], _figures(findings, shown))),
            folded(others_table.CAPTION, table(others_table.HEADINGS, _costs(findings))),
            folded(
                "Every judgement",
                table(["case", "figure", "verdict", "estimate", "what it rests on"], _judgements(findings)),
            ),
            folded("What was verified", table(["case", "body", "chunks", "xxh3"], _verified(findings))),
            folded("Failures", table(["case", "what", "times"], _failures(findings))),
            folded(load_side.CAPTION, table(load_side.HEADINGS, _load(findings))),
            folded("Environment", table(["what", "value"], _environment(findings))),
        ]
    )


def _shown(findings: Findings) -> Sequence[str]:
    """The headline figures that some case of the run can have."""
    return list(dict.fromkeys(name for case in findings.cases for name in headline_of(case.summary.case)))


def _costs(findings: Findings) -> Iterator[list[str]]:
    for row in others_table.rows(findings):
        yield [escaped(cell) for cell in row]


def _title(findings: Findings) -> str:
    name = escaped(findings.header.suite)
    if not findings.gates:
        return f"{name}: no gate"
    counts = [f"{len(found)} {state}" for state in _GATE_WORDS if (found := findings.gates_that(state))]
    return (
        f"{name}: {', '.join(counts)} of {len(findings.gates)} gate{'s' if len(findings.gates) > 1 else ''}"
    )


def _gate(gate: GateFinding) -> str:
    line = f"- {_GATE_WORDS[gate.state]}: {escaped(gate.name)}"
    if gate.result is not None and gate.figure is not None:
        unit = gate.figure.unit
        measured = f"{amount(gate.result.figure, unit)} against a limit of {amount(gate.result.limit, unit)}"
        return f"{line}: {measured} (p = {gate.result.p:.3g}, Holm)"
    return f"{line}: {escaped(gate.reason or '')}"


def _doubts(findings: Findings) -> Iterator[str]:
    """What makes the figures doubtful, loudest first."""
    if findings.finished_utc is None:
        yield f"- ⚠️ **not complete**: {findings.trials} of {findings.planned} trials are measured"
    for case in findings.cases:
        if case.untrusted is not None:
            yield f"- ⚠️ **do not rely on** {escaped(case.summary.label)}: {escaped(case.untrusted)}"
    for item in findings.unfit:
        yield (
            f"- ⚠️ **unfit machine**: {escaped(item.label)} came out {item.verdict.kind} than itself in "
            f"{escaped(item.verdict.figure.name)}: {escaped(item.verdict.reason)}"
        )
    if findings.header.beside is not None:
        yield f"- ⚠️ **measured beside another streamgauge**: {escaped(findings.header.beside)}"
    if findings.invalid:
        yield f"- {findings.invalid_in_words} and left out"
    for ours, theirs in (*load_side.doubts_of(findings.load), *line_side.doubts_of(findings.lines)):
        yield f"- {ours} ({escaped(theirs)})"


def _how_to_read(findings: Findings) -> Iterator[str]:
    header = findings.header
    yield (
        "Each case against its whole form on the same server under the same load, block by block: the ratio, "
        "or for memory the difference, and the verdict. *(again)* is the whole form measured a second time. "
        f"What no gate rests on is screening (Benjamini-Hochberg, q = {SCREENING_Q:g}); **?** may be chance."
    )
    yield ""
    yield (
        f"{header.blocks} blocks, windows of {header.window_s:g} s, seed {header.seed}, "
        f"{escaped(header.created_utc)}, streamgauge {escaped(header.version)}, run {escaped(header.run_id)}"
    )


def _verdicts(case: CaseFinding, shown: Sequence[str]) -> Iterator[str]:
    """The case, and its headline figures against the baseline; of a baseline the figures themselves."""
    yield escaped(case.summary.label)
    for name in shown:
        item = case.figures[name]
        if item.verdict is None:
            yield amount_of(name, item.value, case.summary.case)
        else:
            yield f"{effect(item.verdict.estimate, item.figure)} {_word(item)}".strip()


def _word(item: FigureFinding) -> str:
    """The verdict; with a question mark where it is provisional, or may be one of chance among so many."""
    if item.verdict is None or item.verdict.kind is Kind.ESTIMATE_ONLY:
        return ""
    if not item.told_apart:
        return item.verdict.kind.value
    doubtful = item.verdict.provisional or (item.q is not None and not item.stands)
    return f"**{item.verdict.kind}{'?' if doubtful else ''}**"


def _figures(findings: Findings, shown: Sequence[str]) -> Iterator[list[str]]:
    for case in findings.cases:
        row = case.summary
        chunk = row.verification.median_chunk_bytes if row.verification is not None else None
        values = [amount_of(name, case.figures[name].value, row.case) for name in shown]
        trials = f"{row.trials}, {row.invalid} invalid" if row.invalid else str(row.trials)
        yield [escaped(row.label), amount(chunk, Unit.BYTES), *values, trials]


def _judgements(findings: Findings) -> Iterator[list[str]]:
    for case in findings.cases:
        for name, item in case.figures.items():
            if item.verdict is None or (item.verdict.estimate is None and item.value is None):
                continue
            basis = "the gate's own test decides; " if item.gated else ""
            basis += f"q = {item.q:.2g}; " if item.q is not None else ""
            yield [
                escaped(case.summary.label),
                escaped(name),
                _word(item) or item.verdict.kind.value,
                effect(item.verdict.estimate, item.figure),
                f"{basis}{item.verdict.blocks} blocks; {escaped(item.verdict.reason)}",
            ]


def _verified(findings: Findings) -> Iterator[list[str]]:
    for case in findings.cases:
        found = case.summary.verification
        if found is not None and not case.summary.control:
            chunks = f"{found.chunks:,}, the median {found.median_chunk_bytes:,} B" if found.chunks else "–"
            yield [escaped(case.summary.label), f"{found.body_bytes:,} B", chunks, escaped(found.digest)]
    for item in findings.expected_failures:
        yield [escaped(item.label), "fails as expected", escaped(item.how or "not asked yet"), "–"]


def _failures(findings: Findings) -> Iterator[list[str]]:
    """Invalid trials by reason, failed responses by how they ended, and what was told of them."""
    for case in findings.cases:
        outcomes = {name: count for name, count in case.outcomes.items() if name not in AS_PLANNED_LABELS}
        others = {name: count for name, count in case.others_outcomes.items() if name != "verified"}
        for kind, counts in (
            ("trial", case.reasons),
            ("response", outcomes),
            ("told", case.errors),
            ("small request", others),
            ("told of small requests", case.others_errors),
        ):
            for what, count in counts.items():
                yield [escaped(case.summary.label), f"{kind}: {escaped(what)}", f"{count:,}"]
    for fault, count in findings.faults.items():
        yield ["what helps", f"{escaped(fault)}: {escaped(fault.hint)}", f"{count:,}"]


def _load(findings: Findings) -> Iterator[list[str]]:
    for row in load_side.rows(findings.load) if findings.load else []:
        yield [escaped(cell) for cell in row]


def _environment(findings: Findings) -> Iterator[list[str]]:
    yield ["command", escaped(" ".join(findings.header.command))]
    if findings.load is not None:
        yield ["load made", f"{findings.load.made}; {findings.load.clocks}"]
    yield ["ran as", escaped(", ".join(findings.ran_as) or "the server did not say")]
    for name, value in findings.header.environment.items():
        yield [escaped(name), escaped(setting(value))]
