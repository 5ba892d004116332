"""``streamgauge compare``: two stored runs, side by side."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from analysis.runs.comparison import Compared, Comparison, compare_runs, everything, summary_of
from analysis.runs.comparison_document import comparison_document
from analysis.table import amount, effect, span
from analysis.verdicts.judgement import Kind
from harness.cli.files import write_files
from harness.cli.places import find_run
from harness.cli.tables import print_rows
from harness.suites.matrix import matches
from results.errors import ExitCode, UsageError
from results.metrics import FIGURES
from results.run import Run
from results.store import Store


@click.command("compare")
@click.argument("base")
@click.argument("head")
@click.option(
    "--figure",
    "figures",
    multiple=True,
    type=click.Choice(list(FIGURES)),
    help="Only this figure; repeatable.",
)
@click.option("--only", metavar="PATTERN", help='Only the cases with these values, like "rows=500 gthread".')
@click.option("--strict", is_flag=True, help="Exit code 4 when anything is undecided, changed or doubtful.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.option("--report", type=click.Path(path_type=Path), help="Also write a page with the two sides.")
def command(
    base: str,
    head: str,
    figures: tuple[str, ...],
    only: str | None,
    strict: bool,
    as_json: bool,
    report: Path | None,
) -> int:
    """Compare the stored runs BASE and HEAD, case by case; this is screening, and confirms nothing.

    BASE and HEAD are paths, names from `streamgauge list`, or "latest".

    Exit codes: 0 nothing is worse, 1 something is, 2 no case in common, 3 a case or a figure is in one run
    only (or a run may not be relied on), 4 with --strict when anything is undecided, changed or doubtful.
    """
    paths = (find_run(base), find_run(head))
    runs = (_read(paths[0]), _read(paths[1]))
    chosen = partial(matches, pattern=only) if only is not None else everything
    comparison = compare_runs(*runs, figures, chosen=chosen)
    if as_json:
        click.echo(json.dumps(comparison_document(comparison, *runs), indent=2))
        _print_first(comparison, err=True)
    else:
        for word, path, run, commit in zip(("base", "head"), paths, runs, comparison.commits, strict=True):
            made = f"{run.header.created_utc}, commit {commit or 'not known'}"
            click.echo(f"{word}  {path} ({made})")
        _print_first(comparison, err=False)
        if comparison.lines:
            _print_lines(comparison)
        click.echo(f"\n{summary_of(comparison)}")
    if report is not None:
        from analysis.report.two_sides import comparison_html  # noqa: PLC0415  - Matplotlib is slow to import

        write_files({report: comparison_html(comparison, *runs)}, "--report")
        click.echo(f"Report in {report}", err=as_json)
    return exit_code(comparison, strict=strict)


def exit_code(comparison: Comparison, *, strict: bool) -> ExitCode:
    """What cannot be compared comes before what is worse, as in `run`; doubts count when asked to."""
    kinds = {line.screened.kind for line in comparison.lines if not line.shown_only}
    if comparison.gaps or not comparison.lines:
        return ExitCode.INVALID
    if Kind.WORSE in kinds:
        return ExitCode.WORSE
    doubtful = comparison.changed or comparison.doubts or not kinds <= {Kind.SAME, Kind.BETTER}
    return ExitCode.UNDECIDED if strict and doubtful else ExitCode.GOOD


def _read(path: Path) -> Run:
    with Store.open(path) as store:
        run = store.read()
    if run.header.sides:
        raise UsageError(
            f"{path} is an ab: it compares its two commits itself. See it with `show`, `report` or `export`, "
            "and compare runs of `run`"
        )
    return run


def _print_first(comparison: Comparison, *, err: bool) -> None:
    """What a reader must know before any figure."""
    for heading, phrases in (
        ("CANNOT BE COMPARED", comparison.gaps),
        ("CHANGED", comparison.changed),
        ("DOUBTFUL", comparison.doubts),
        ("left out", comparison.left_out),
    ):
        for phrase in phrases:
            click.echo(f"{click.style(heading, bold=heading.isupper())}: {phrase}", err=err)


def _print_lines(comparison: Comparison) -> None:
    click.echo()
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("case", "figure", "base", "head", "head / base", "95% interval", "blocks", "verdict"):
        is_text = heading in {"case", "figure", "verdict"}
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=heading != "case")
    for line in comparison.lines:
        style = "bold" if line.screened.kind is Kind.WORSE else ""
        table.add_row(*(Text(cell) for cell in _cells(line)), style=style)
    print_rows(table)
    told = [line for line in comparison.lines if line.screened.kind is not Kind.SAME]
    if told:
        click.echo()
    for line in told:
        click.echo(f"{line.screened.kind}: {line.label}: {line.figure.name}: {line.screened.reason}")


def _cells(line: Compared) -> list[str]:
    found, figure = line.screened, line.figure
    ends = span(found.low, found.high, figure)
    return [
        line.label,
        f"{figure.name} (absolute)" if line.absolute else figure.name,
        *(
            amount(value, figure.unit) if line.absolute else effect(value, figure)
            for value in (found.base, found.head)
        ),
        effect(found.estimate, figure),
        ends,
        f"{found.base_blocks}, {found.head_blocks}",
        str(found.kind),
    ]
