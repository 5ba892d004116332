"""The end of an ab on the screen: head against base, the gates, what is doubtful, and the exit code."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.judgement import Kind, Verdict
from analysis.margin_gate import GateOutcome, MarginResult, outcomes
from analysis.sides import Judged, differing, judge_sides, screened, side_of
from analysis.summary import labels
from analysis.table import amount, times
from harness.cli.outcome import print_invalid, print_not_judged, print_unfit, trustworthy
from harness.gates import NotJudged
from results.errors import ExitCode, MeasurementError
from results.metrics import Unit
from results.run import Run
from results.sides import Side, SideRecord

_PIPE_WIDTH = 240
_HEADINGS = ("case", "figure", "base", "head", "head/base", "interval", "verdict", "blocks")
_DASH = "–"


def say_sides(sides: Sequence[SideRecord]) -> None:
    """What is compared."""
    for item in sides:
        click.echo(f"{item.side}: {item.commit[:12]} ({item.revision})")


def show_ab_outcome(run: Run, not_judged: Sequence[NotJudged], path: Path) -> ExitCode:
    """Print everything that an ab ends with; its exit code. Raises MeasurementError as `outcomes`."""
    click.echo()
    say_sides(run.header.sides)
    print_sides(run)
    print_invalid(run)
    print_unfit(side_of(run, Side.BASE))
    click.echo(f"\nStored in {path}")
    print_not_judged(not_judged)
    found = print_gates(run)
    if not found:
        click.echo(
            "No gate was judged: the suite has none with a margin. The exit code does not depend on the "
            "verdicts above; add a [[gate]] with a margin, or --fail-on worse"
        )
    if not trustworthy(run.trials):
        return ExitCode.INVALID
    return ExitCode.WORSE if any(item.worse for item in found) else ExitCode.GOOD


def print_head_against_base(run: Run) -> None:
    """What a stored ab holds besides its sides; a gate that cannot be judged says why."""
    click.echo()
    say_sides(run.header.sides)
    print_sides(run)
    try:
        print_gates(run)
    except MeasurementError as error:
        click.echo(str(error), err=True)


def print_gates(run: Run) -> list[GateOutcome]:
    """A line for each gate; their outcomes."""
    found = outcomes(run)
    for item in found:
        click.echo(_told(item))
    return found


def print_sides(run: Run) -> None:
    """Head against base, a row for each case and figure; then the reasons of what is not the same."""
    gated = {(gate.case.identity, gate.metric) for gate in run.header.margin_gates}
    judged = judge_sides(run)
    named = [item for item in judged if _key(item) in gated]
    rows = named + screened([item for item in judged if _key(item) not in gated])
    names = labels([case for case in run.header.cases if not case.expect_failure])
    table = Table(show_edge=False, pad_edge=False)
    for number, heading in enumerate(_HEADINGS):
        table.add_column(heading, justify="left" if number < 2 else "right", no_wrap=True)
    order = [_key(item) for item in judged]
    rows.sort(key=lambda item: order.index(_key(item)))
    for item in rows:
        mark = "" if _key(item) in gated else " (screening)"
        table.add_row(*(Text(cell) for cell in _cells(item, names[item.case.identity], mark)))
    (Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH)).print(table)
    click.echo(
        "\nRatios are of head to base, block by block (for memory the difference). What is marked as "
        "screening was not named in a gate: it is shown, among all that was looked at."
    )
    for item in rows:
        if item.verdict.kind in {Kind.WORSE, Kind.BETTER, Kind.UNDECIDED}:
            name = f"{names[item.case.identity]}: {item.verdict.figure.name}"
            click.echo(f"{item.verdict.kind}: {name}: {item.verdict.reason}")
    for line in differing(run):
        click.echo(f"the bodies differ: {line}", err=True)


def _key(item: Judged) -> tuple[str, str]:
    return item.case.identity, item.verdict.figure.name


def _cells(item: Judged, name: str, mark: str) -> list[str]:
    verdict = item.verdict
    figure, unit = verdict.figure, verdict.figure.unit
    kind = f"{verdict.kind}{' (provisional)' if verdict.provisional else ''}{mark}"
    return [
        name,
        figure.name,
        amount(_median([pair.baseline for pair in item.pairs]), unit),
        amount(_median([pair.figure for pair in item.pairs]), unit),
        _shown(verdict, verdict.estimate),
        _DASH
        if verdict.low is None
        else f"{_shown(verdict, verdict.low)} to {_shown(verdict, verdict.high)}",
        kind,
        str(verdict.blocks),
    ]


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _shown(verdict: Verdict, value: float | None) -> str:
    if value is None or not verdict.figure.by_difference:
        return times(value)
    return f"{'+' if value > 0 else ''}{amount(value, verdict.figure.unit)}"


def _told(item: GateOutcome) -> str:
    """A gate in a line."""
    first, second = item.first, item.second
    text = f"gate: {first.gate.name}: "
    if not first.failed:
        return f"{text}{_not_worse(first)}: {_measured(first)}"
    if second is None:
        return f"{text}worse so far, not measured again yet: {_measured(first)}"
    again = f"{second.blocks} further blocks: {_measured(second)}"
    if item.worse:
        return f"{text}WORSE: {_measured(first)}; confirmed by {again}"
    return f"{text}NOT CONFIRMED: {_measured(first)}, but {_not_worse(second)} in {again}"


def _not_worse(result: MarginResult) -> str:
    if result.within_error_ns is not None:
        error = amount(result.within_error_ns, Unit.NANOSECONDS)
        return f"not worse, within the client's error of {error}"
    return "not worse" if result.holds else "not shown to be worse, nor to be within its margin"


def _measured(result: MarginResult) -> str:
    return f"{result.estimate} against a margin of {result.limit} (p = {result.p:.3g}, Holm)"
