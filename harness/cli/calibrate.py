"""``streamgauge calibrate``: the client's own error on this machine."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import click
from rich.table import Table
from rich.text import Text

from analysis.exports.printable import printable
from analysis.load_side import called
from analysis.table import amount
from harness.cli.alone import measuring_alone
from harness.cli.checked import Counts
from harness.cli.tables import print_rows, table_console
from harness.programs.cores import split_cores
from harness.trials.calibrate import FULL, SCHEDULES, Calibrator
from harness.trials.workshop import workshop
from results.calibration import Answers, CalibrationPoint
from results.metrics import Unit
from results.workers import Worker

_SERVERS = {Answers.ONCE: "answers once", Answers.ON: "keeps on sending"}
_WHOLE_TABLE_WIDTH = 160
_TEXTS = frozenset({"worker", "server"})


@dataclass(frozen=True, slots=True)
class _Column:
    """``headline``: also shown where there is little room."""

    heading: str
    cell: Callable[[CalibrationPoint], str]
    headline: bool = False


def _time(time_ns: float | None) -> str:
    return amount(time_ns, Unit.NANOSECONDS)


_COLUMNS = (
    _Column("users", lambda point: str(point.users), headline=True),
    _Column("server", lambda point: _SERVERS[point.answers], headline=True),
    _Column("requests", lambda point: f"{point.requests:,}"),
    _Column("stamp by", lambda point: "kernel" if point.stamped else "loop"),
    _Column("error p50", lambda point: _time(point.error_p50_ns), headline=True),
    _Column("p95", lambda point: _time(point.error_p95_ns), headline=True),
    _Column("p99", lambda point: _time(point.error_p99_ns)),
    _Column("max", lambda point: _time(point.error_max_ns)),
    _Column("by the loop p50", lambda point: _time(point.loop_error_p50_ns), headline=True),
    _Column("p95", lambda point: _time(point.loop_error_p95_ns), headline=True),
    _Column("lag p99", lambda point: _time(point.lag_p99_ns)),
    _Column("bound p99", lambda point: _time(point.stamp_error_p99_ns)),
    _Column("client CPU", lambda point: f"{point.client_cpu:.0%}"),
)


@click.command("calibrate")
@click.option("--users", type=Counts(), default="1,8,32,100", show_default=True, help="Numbers of users.")
@click.option("--force", is_flag=True, help="Measure beside another streamgauge on this machine.")
@click.option("--json", "as_json", is_flag=True, help="Write the points as JSON.")
def command(users: Sequence[int], force: bool, as_json: bool) -> None:
    """Measure the client's own error of TTFB against a server whose schedule is known.

    With each number of users, on a server that answers once and on one that keeps on sending.
    """
    seconds = len(users) * len(SCHEDULES) * (FULL.warmup_s + FULL.window_s)
    click.echo(f"calibrating: about {seconds:.0f} s", err=True)
    with measuring_alone(force=force), workshop(split_cores()) as shop:
        calibrator = Calibrator(shop)
        points = calibrator.points(users, list(Answers), FULL)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(point) for point in points], indent=2))
        return
    print_points(points)
    click.echo(f"\n{meaning(points)}")


def print_points(points: Sequence[CalibrationPoint], workers: Sequence[Worker] = ()) -> None:
    """A table with a row for each point; in a narrow terminal without the columns that explain the others.

    With several ``workers`` it says whose each point is.
    """
    console = table_console()
    shown = [column for column in _COLUMNS if column.headline or console.width >= _WHOLE_TABLE_WIDTH]
    if workers:
        shown = [_Column("worker", lambda point: printable(called(point.worker, workers))), *shown]
    table = Table(show_edge=False, pad_edge=False)
    for column in shown:
        table.add_column(column.heading, justify="left" if column.heading in _TEXTS else "right")
    for point in points:
        table.add_row(*(Text(column.cell(point)) for column in shown))
    print_rows(table)


def meaning(points: Sequence[CalibrationPoint]) -> str:
    """What the errors mean for figures, in a sentence; of several load processes the worst one's."""
    worst: dict[int, float] = {}
    for point in points:
        worst[point.users] = max(worst.get(point.users, 0.0), point.error_p50_ns)
    parts = [
        f"{amount(error_ns, Unit.NANOSECONDS)} with {users} user{'s' if users > 1 else ''}"
        for users, error_ns in worst.items()
    ]
    return f"Differences of median TTFB below these cannot be seen here: {', '.join(parts)}."
