"""An ab as a page: the gates and what differs, the pictures, every figure, both commits."""

from __future__ import annotations

import shlex

from analysis import line_side, load_side
from analysis.ab.findings import AbFindings, AbLine, AbState
from analysis.ab.pictures import ab_pictures
from analysis.ab.words import estimate_of, interval_of, of_gate, verdict_of
from analysis.report.definitions import limits
from analysis.report.rows import Table
from analysis.report.two_sides import Row, TwoSides, two_sides_html
from analysis.table import amount, setting
from analysis.verdicts.gate import interval_name
from analysis.verdicts.judgement import Kind
from results.run import Run
from results.terms import Stopping

_KINDS = {
    AbState.WORSE: "worse",
    AbState.INVALID: "invalid",
    AbState.NOT_MEASURED_AGAIN: "invalid",
    AbState.NOT_CONFIRMED: "not_judged",
    AbState.NOT_WORSE: "not_worse",
}


def ab_html(findings: AbFindings, run: Run) -> str:
    """The page; ``run`` is what the findings are of."""
    header = findings.header
    gates = [(_KINDS[item.state], item.state.value, item.gate.name, of_gate(item)) for item in findings.gates]
    gates += [("not_judged", "not judged", item.name, item.reason) for item in findings.not_judged]
    return two_sides_html(
        TwoSides(
            kicker="streamgauge ab",
            suite=header.suite,
            made=[(header.created_utc, "")],
            sentence=_sentence(findings),
            gates=gates,
            doubts=_doubts(findings),
            no_doubt="Nothing: all trials count, and base came out the same as itself.",
            pictures=ab_pictures(findings, run),
            note="Base and head are the medians over the blocks. Head / base is taken block by block (of "
            "memory the difference). What no gate names is screening.",
            interval=interval_name(header.terms),
            rows=[_row(number, line) for number, line in enumerate(findings.lines)],
            sides=_sides(findings, run),
            limits=limits((header, findings.load)),
            footer="Made by streamgauge from one stored ab.",
        )
    )


def _sentence(findings: AbFindings) -> str:
    base, head = (item.commit[:12] for item in findings.header.sides)
    kinds = [line.judged.verdict.kind for line in findings.lines]
    counts = [f"{kinds.count(kind)} {kind}" for kind in Kind if kind in kinds]
    return (
        f"Head ({head}) against base ({base}), measured in the same {findings.header.blocks} blocks: of "
        f"{len(kinds)} figures, {', '.join(counts)}."
    )


def _doubts(findings: AbFindings) -> list[tuple[str, list[str]]]:
    incomplete = [f"{findings.trials} of {findings.planned} trials are measured; go on with --resume"]
    return [
        ("not complete", incomplete if findings.finished_utc is None else []),
        (
            "not to be relied on",
            ["too many trials are invalid, or responses failed"] if findings.untrusted else [],
        ),
        (
            "unfit machine",
            [
                f"base's {item.label} came out {item.verdict.kind} than itself in "
                f"{item.verdict.figure.name}: {item.verdict.reason}"
                for item in findings.unfit
            ],
        ),
        (
            "measured beside another streamgauge",
            [] if findings.header.beside is None else [findings.header.beside],
        ),
        ("the bodies differ", list(findings.bodies)),
        ("load", [f"{ours} ({theirs})" for ours, theirs in load_side.doubts_of(findings.load)]),
        ("line", [f"{ours} ({theirs})" for ours, theirs in line_side.doubts_of(findings.over_lines)]),
        (
            "invalid",
            [
                *(
                    f"{count} of the trials of {where}: {why}"
                    for (where, why), count in findings.invalid.items()
                ),
                *([findings.repeated_in_words] if findings.repeated_in_words is not None else []),
                *(f"{fault}: {fault.hint}" for fault in findings.faults),
            ],
        ),
    ]


def _row(number: int, line: AbLine) -> Row:
    verdict = line.judged.verdict
    return Row(
        anchor=f"row-{number}",
        case=line.label,
        figure=verdict.figure.name,
        base=amount(line.base, verdict.figure.unit),
        head=amount(line.head, verdict.figure.unit),
        estimate=estimate_of(line),
        sort_estimate=verdict.estimate,
        interval=interval_of(line),
        blocks=str(verdict.blocks),
        kind=verdict.kind.value.split()[0],
        verdict=verdict_of(line),
        reason=verdict.reason,
    )


def _load(findings: AbFindings) -> list[tuple[str, object]]:
    """How the load was made, and what each worker said of itself and did."""
    load = findings.load
    if load is None:
        return []
    return [
        ("load made", load.made),
        ("clocks", load.clocks),
        *(
            (
                f"worker {row[0]}",
                "; ".join(f"{what} {cell}" for what, cell in zip(headings, row[1:], strict=True)),
            )
            for headings in [load_side.HEADINGS[1:]]
            for row in load_side.rows(load)
        ),
    ]


def _sides(findings: AbFindings, run: Run) -> Table:
    """Both commits, and what both sides share."""
    header = findings.header
    base, head = header.sides
    looks = ", with looks on the way" if header.terms.stopping is Stopping.DECIDED else ""
    shared: list[tuple[str, object]] = [
        ("run", header.run_id),
        ("suite", header.suite),
        ("blocks", f"{header.blocks}{looks}"),
        ("seed", header.seed),
        ("warm-up and window", f"{header.warmup_s:g} s and {header.window_s:g} s"),
        ("streamgauge", header.version),
        ("command", " ".join(header.command)),
        *_load(findings),
        *((f"prepared {item.side}", shlex.join(item.command)) for item in run.preparations),
        *header.environment.items(),
    ]
    rows = [
        ["commit", setting(base.commit), setting(head.commit)],
        ["as it was asked for", setting(base.revision), setting(head.revision)],
        *([name, setting(value), "the same"] for name, value in shared),
    ]
    return Table("The two sides", ["what", "base", "head"], rows, frozenset({1, 2}))
