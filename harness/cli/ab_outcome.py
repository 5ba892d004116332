"""The end of an ab on the screen: the gates, head against base, what is doubtful, and the exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from analysis.ab import json_document
from analysis.ab.findings import AbFindings, AbLine, AbState
from analysis.ab.words import estimate_of, interval_of, of_gate, verdict_of
from analysis.exports.printable import printable
from analysis.table import amount
from analysis.verdicts.judgement import Kind
from harness.cli.answer import print_marks, print_remedies, print_unfit
from harness.cli.prose import say
from harness.cli.streams import until_nobody_reads
from harness.cli.tables import print_rows
from harness.cli.typed import typed
from results.errors import ExitCode
from results.sides import SideRecord

AbEnding = Callable[[AbFindings, Path], ExitCode]

_HEADINGS = ("case", "figure", "base", "head", "head/base", "interval", "verdict", "blocks")


def say_sides(sides: Sequence[SideRecord]) -> None:
    """What is compared."""
    for item in sides:
        say(f"{item.side}: {item.commit[:12]} ({printable(item.revision)})")


def ab_exit_code(findings: AbFindings) -> ExitCode:
    """What may not be relied on comes before what is worse."""
    undone = [*findings.gates_that(AbState.INVALID), *findings.gates_that(AbState.NOT_MEASURED_AGAIN)]
    if findings.untrusted or undone:
        return ExitCode.INVALID
    return ExitCode.WORSE if findings.gates_that(AbState.WORSE) else ExitCode.GOOD


def show_ab_outcome(findings: AbFindings, path: Path) -> ExitCode:
    """Print everything that an ab ends with; its exit code."""
    with until_nobody_reads():
        click.echo()
        print_ab(findings)
        print_ab_doubts(findings)
        say(f"Stored in {path}; `{typed('show', str(path))}` prints all of it.")
    return ab_exit_code(findings)


def tell_ab_problems(findings: AbFindings, path: Path) -> ExitCode:  # noqa: ARG001  - an ending like the others
    """Print what came of the gates, and what speaks against relying on the ab; its exit code."""
    with until_nobody_reads():
        print_margin_gates(findings)
        print_ab_doubts(findings)
    return ab_exit_code(findings)


def write_ab_document(findings: AbFindings, path: Path) -> ExitCode:
    """Print the findings as one JSON object, and where the run is stored on standard error; its exit code."""
    with until_nobody_reads():
        click.echo(json_document.export(findings), nl=False)
        print_ab_doubts(findings)
        say(f"Stored in {path}", err=True)
    return ab_exit_code(findings)


def print_ab(findings: AbFindings) -> None:
    """The sides, the gates, and head against base."""
    say_sides(findings.header.sides)
    print_margin_gates(findings)
    click.echo()
    _print_lines(findings.lines)


def print_margin_gates(findings: AbFindings) -> None:
    """A line for each gate of the suite."""
    for gate in findings.gates:
        say(f"gate: {gate.gate.name}: {of_gate(gate)}", err=gate.state is AbState.INVALID)
    for item in findings.not_judged:
        say(f"gate: {item.name}: NOT JUDGED, {item.reason}")
    if not findings.gates:
        say(
            "No gate was judged: the suite has none with a margin. The exit code does not depend on the "
            "verdicts; add a [[gate]] with a margin, or --fail-on worse"
        )


def print_ab_doubts(findings: AbFindings) -> None:
    """On standard error, all that speaks against relying on the ab."""
    if findings.finished_utc is None:
        say(
            f"not complete: {findings.trials} of {findings.planned} trials are measured; go on with --resume",
            err=True,
        )
    for (where, reason), count in findings.invalid.items():
        say(f"invalid: {count} trial{'s' if count > 1 else ''} of {where}: {printable(reason)}", err=True)
    if findings.repeated_in_words is not None:
        say(findings.repeated_in_words, err=True)
    print_remedies(findings.faults)
    if findings.untrusted:
        say("not to be relied on: too many trials are invalid, or responses failed", err=True)
    print_marks(findings.header)
    print_unfit(findings.unfit)
    for line in findings.bodies:
        say(f"the bodies differ: {line}", err=True)


def _print_lines(lines: Sequence[AbLine]) -> None:
    """A row for each case and figure; then the reasons of what is not the same."""
    table = Table(show_edge=False, pad_edge=False)
    for number, heading in enumerate(_HEADINGS):
        table.add_column(heading, justify="left" if number < 2 else "right", no_wrap=True)
    for line in lines:
        table.add_row(*(Text(cell) for cell in _cells(line)))
    print_rows(table)
    click.echo()
    say(
        "Ratios are of head to base, block by block (for memory the difference). What is marked as "
        "screening was not named in a gate: it is shown, among all that was looked at."
    )
    for line in lines:
        verdict = line.judged.verdict
        if verdict.kind in {Kind.WORSE, Kind.BETTER, Kind.UNDECIDED}:
            say(f"{verdict.kind}: {line.label}: {verdict.figure.name}: {verdict.reason}")


def _cells(line: AbLine) -> list[str]:
    verdict = line.judged.verdict
    unit = verdict.figure.unit
    return [
        line.label,
        verdict.figure.name,
        amount(line.base, unit),
        amount(line.head, unit),
        estimate_of(line),
        interval_of(line),
        verdict_of(line),
        str(verdict.blocks),
    ]
