"""``streamgauge show``: what a stored run holds."""

from __future__ import annotations

import itertools
import json
import shlex
import statistics
from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from analysis import line_side
from analysis.ab import json_document as ab_json
from analysis.ab.findings import find_ab
from analysis.exports import json_document
from analysis.exports.printable import printable
from analysis.findings import find
from analysis.line_side import CaseOnLine
from analysis.load_side import CAPTION, HEADINGS, TEXTS, LoadSide, doubts_of, load_side, rows
from analysis.summary import labels
from analysis.verdicts.fitness import unfit
from analysis.verdicts.sides import side_of
from analysis.verdicts.verdict import NotJudged
from harness.cli.ab_outcome import print_ab
from harness.cli.answer import print_marks, print_unfit
from harness.cli.calibrate import meaning, print_points
from harness.cli.case_table import print_table
from harness.cli.hard_cases import print_costs, print_growths, print_hang_ups
from harness.cli.memory import print_memory
from harness.cli.places import find_run
from harness.cli.prose import say
from harness.cli.recommend import print_detectable, print_recommendations
from harness.cli.tables import print_rows
from harness.cli.traces import print_traces
from harness.suites.gates import stored_gates
from results.faults import counted
from results.run import Run, in_order, measured_again
from results.store import Store
from results.trace import Trace


@click.command("show")
@click.argument("run", default="latest")
@click.option(
    "--json", "as_json", is_flag=True, help="Print what was found as JSON, like `export --format json`."
)
def command(run: str, as_json: bool) -> None:
    """Show the environment, the verification, the figures, the traces and the failures of RUN.

    RUN is a path, a name from `streamgauge list`, or "latest".
    """
    path = find_run(run)
    with Store.open(path) as store:
        stored = store.read()
        traces = store.traces()
    gates, not_judged = stored_gates(stored.header, path)
    if not as_json:
        _print_all(path, stored, traces, not_judged)
    elif stored.header.sides:
        click.echo(ab_json.export(find_ab(stored, not_judged)), nl=False)
    else:
        click.echo(json_document.export(find(stored, gates, not_judged)), nl=False)


def _print_all(path: Path, stored: Run, traces: Sequence[Trace], not_judged: Sequence[NotJudged]) -> None:
    header = stored.header
    load, over_lines = load_side(stored), line_side.line_side(stored)
    _print_about(path, stored, load, over_lines)
    _print_preparations(stored)
    views = [(f"On {item.side}: ", side_of(stored, item.side)) for item in header.sides] or [("", stored)]
    for where, view in views:
        _print_verification(view, where)
    if stored.calibration:
        click.echo("\nThe client's own error, measured before the first trial:")
        print_points(stored.calibration, stored.workers)
        click.echo(meaning(stored.calibration))
    for where, view in views:
        click.echo(f"\n{where}")
        print_table(view)
        print_memory(view)
        print_growths(view)
        print_hang_ups(view, traces)
    if header.sides:
        click.echo()
        print_ab(find_ab(stored, not_judged))
    else:
        print_costs(find(stored))
        print_traces(stored, traces)
        print_recommendations(stored)
        print_detectable(stored)
    for ours, theirs in (*doubts_of(load), *line_side.doubts_of(over_lines)):
        say(f"{ours} ({printable(theirs)})")
    again = {trial.slot.position for trial in measured_again(stored.trials)}
    for trial in stored.trials:
        if trial.reason is not None:
            more = ", measured once more" if trial.slot.position in again else ""
            say(f"invalid: trial {trial.slot.position} ({trial.slot.case}){more}: {printable(trial.reason)}")
    print_marks(header)
    print_unfit(unfit(views[0][1]))


def _print_about(path: Path, stored: Run, load: LoadSide | None, over_lines: Sequence[CaseOnLine]) -> None:
    """What was run, by whom and where."""
    header = stored.header
    click.echo(f"{path}\n")
    click.echo(f"suite        {header.suite}, {header.blocks} blocks, seed {header.seed}")
    click.echo(
        f"made         {header.created_utc} by streamgauge {header.version}: {' '.join(header.command)}"
    )
    state = "complete" if stored.finished_utc else "not complete; go on with --resume"
    click.echo(f"trials       {len(stored.trials)} of {len(header.slots)}, {state}")
    if again := measured_again(stored.trials):
        faults = counted(trial.fault for trial in again)
        why = ", ".join(f"{fault} {count}" for fault, count in faults.items())
        click.echo(f"repeated     {len(again)} of these, measured once more: {why}")
    if (overhead := overhead_s(stored)) is not None:
        click.echo(
            f"outside      {overhead:.2f} s of a trial lie outside of its window (median, warm-up counted in)"
        )
    ran = sorted({trial.ran_as for trial in stored.trials if trial.ran_as})
    click.echo(f"ran as       {', '.join(ran) or 'the server did not say'}")
    if load is not None:
        click.echo(f"load made    {load.made}")
        say(f"clocks       {load.clocks}")
    if over_lines:
        click.echo(f"line         {line_side.dropped_in_words(over_lines)}")
    click.echo("\nEnvironment:")
    for name, value in header.environment.items():
        click.echo(f"  {name:22} {value if isinstance(value, str) else json.dumps(value)}")
    if load is not None:
        _print_workers(load)


def overhead_s(run: Run) -> float | None:
    """The median time (s) from one trial's start to the next one's, less the window.

    A pause between an interrupted run and its resumption counts as one trial at most; None below two trials.
    """
    trials = {trial.slot: trial for trial in run.trials}
    spans = [
        (trials[later].started_ns - trials[earlier].started_ns) / 1e9 - run.header.window_s
        for earlier, later in itertools.pairwise(in_order(trials))
    ]
    return statistics.median(spans) if spans else None


def _print_workers(load: LoadSide) -> None:
    click.echo(f"\n{CAPTION}:")
    table = Table(show_edge=False, pad_edge=False)
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if not number or number in TEXTS else "right")
    for row in rows(load):
        table.add_row(*(Text(printable(cell)) for cell in row))
    print_rows(table)


def _print_preparations(run: Run) -> None:
    for item in run.preparations:
        where = "" if item.side is None else f" {item.side}"
        click.echo(f"\nPrepared{where} by {shlex.join(item.command)}:\n{item.output.rstrip()}")


def _print_verification(run: Run, where: str) -> None:
    names = labels(run.header.cases)
    click.echo(f"\n{where}Verified once before anything was timed:")
    for case in run.header.cases:
        found = run.verifications.get(case.identity)
        if found is None:
            line = "not asked yet"
        elif case.expect_failure:
            line = f"fails as expected: {found.failure or f'status {found.status}'}"
        else:
            chunks = f" in {found.chunks:,} chunks" if found.chunks else ""
            line = f"{found.body_bytes:,} bytes{chunks}, xxh3 {found.digest}"
            line += "" if case.is_baseline else ", equal to its whole form"
        click.echo(f"  {names[case.identity]}: {line}")
