"""``streamgauge history``: each case's ratio to its own baseline, over many stored runs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from analysis.runs.comparison import everything
from analysis.runs.history import SHOWN, Entry, History, Point, Series, changed_between, history
from analysis.runs.history_document import history_document
from analysis.table import effect, span
from analysis.verdicts.judgement import Kind
from harness.cli.places import SUFFIX
from harness.cli.tables import print_rows
from harness.suites.matrix import matches
from results.errors import ExitCode, StoreError, UsageError
from results.metrics import FIGURES, Figure
from results.run import Run
from results.store import Store

_TOLD = (Kind.WORSE, Kind.BETTER)


@click.command("history")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--figure",
    "figures",
    multiple=True,
    type=click.Choice(list(FIGURES)),
    help=f"Only this figure; repeatable; without, {', '.join(SHOWN)}.",
)
@click.option("--only", metavar="PATTERN", help='Only the cases with these values, like "rows=500 gthread".')
@click.option("--json", "as_json", is_flag=True, help="Print the history as JSON.")
def command(folder: Path, figures: tuple[str, ...], only: str | None, as_json: bool) -> int:
    """Show each case's ratio to its own baseline over all runs in DIR, by the date of the app's commit.

    Exit codes: 0 all stores were read, 2 one could not be (the others are shown), or nothing is to be shown.
    """
    runs, unread = _read_all(folder)
    for problem in unread:
        click.echo(f"SKIPPED: {problem}", err=True)
    if not runs:
        raise UsageError(f"there is no run to show in {folder}; name a folder with {SUFFIX} files of runs")
    chosen = partial(matches, pattern=only) if only is not None else everything
    found = history(runs, figures or SHOWN, chosen=chosen)
    if not found.series:
        what = (
            f"no case that has a baseline and {only!r}" if only is not None else "no case that has a baseline"
        )
        raise UsageError(f"the runs in {folder} have {what}: there is no ratio to show")
    if as_json:
        click.echo(json.dumps(history_document(found, unread), indent=2))
    else:
        _print(found)
    return ExitCode.USAGE if unread else ExitCode.GOOD


def _read_all(folder: Path) -> tuple[dict[str, Run], list[str]]:
    """All runs of the folder by name, and a phrase for each store that cannot be read."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; name one that holds runs")
    runs: dict[str, Run] = {}
    unread: list[str] = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            with Store.open_unchecked(path) as store:
                run = store.read()
        except StoreError as error:
            unread.append(str(error))
            continue
        if run.header.sides:
            click.echo(f"{path} is an ab, which compares two commits by itself: left out", err=True)
            continue
        twin = next((name for name, other in runs.items() if other.header.run_id == run.header.run_id), None)
        if twin is None:
            runs[path.stem] = run
        else:
            click.echo(f"{path} is a copy of {twin}: it is shown once", err=True)
    return runs, unread


def _print(found: History) -> None:
    for _, group in itertools.groupby(found.series, key=lambda series: series.case.identity):
        shown = list(group)
        click.echo(f"\n{shown[0].label}")
        _print_table(found.entries, shown)
        for series in shown:
            click.echo(f"  {series.figure.name} {series.drawn()}")
    jumps = [line for series in found.series for line in _jumps(series, found.entries)]
    if jumps:
        click.echo()
    for line in jumps:
        click.echo(line)
    click.echo(
        "\nRatios to the baseline of the same run (memory: differences), with the 95% interval; worse and "
        "better:\nby screening, against the run before. * after a commit: with changes on top of it."
    )


def _print_table(entries: Sequence[Entry], shown: Sequence[Series]) -> None:
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("run", "commit", "machine", *(series.figure.name for series in shown)):
        table.add_column(heading, no_wrap=heading not in {"run", "machine"})
    before: Entry | None = None
    for number, entry in enumerate(entries):
        points = [series.points[number] for series in shown]
        if all(point is None for point in points):
            continue
        cells = [entry.name, entry.commit or "–", _machine(before, entry)]
        cells += [_cell(point, series.figure) for point, series in zip(points, shown, strict=True)]
        table.add_row(*(Text(cell) for cell in cells))
        before = entry
    print_rows(table)


def _machine(before: Entry | None, entry: Entry) -> str:
    changed = changed_between(before.run, entry.run) if before else []
    words = [f"changed: {', '.join(changed)}"] if changed else []
    words += ["unfit"] if entry.unfit else []
    words += ["not complete"] if entry.run.finished_utc is None else []
    return "; ".join(words)


def _cell(point: Point | None, figure: Figure) -> str:
    if point is None:
        return ""
    own = point.verdict
    text = effect(own.estimate, figure)
    if ends := span(own.low, own.high, figure):
        text += f" ({ends})"
    return f"{text} {point.since.kind}" if point.since and point.since.kind in _TOLD else text


def _jumps(series: Series, entries: Sequence[Entry]) -> list[str]:
    return [
        f"{point.since.kind}: {series.label}: {series.figure.name} from {point.before} to {entry.name}: "
        f"{effect(point.since.estimate, series.figure)}; {point.since.reason}"
        for point, entry in zip(series.points, entries, strict=True)
        if point and point.since and point.since.kind in _TOLD
    ]
