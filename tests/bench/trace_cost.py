"""What the ledger of a traced trial costs: the same cases with and without it, interleaved.

Both arms are loaded in the same way, by the timed client without its traces: what is compared is the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from rich.console import Console

from analysis.trial.figures import figures_of_trial
from harness.conduct import verify
from harness.probes.watch import ServerWatch
from harness.programs.cores import split_cores
from harness.rows import load_rows
from harness.servers.serving import RunningServer, serving
from harness.suites.file import parse_suite
from harness.suites.matrix import PlannedCase, cases_of
from harness.trials.tracing import ledger_around
from harness.trials.verify import address_of
from harness.trials.workshop import Workshop, workshop
from results.records import Verification
from scenarios.specification import Download, TrialSpecification
from tests.bench.tables import parser, publish, spread, table
from tests.harness.examples import Untold

SUITE = """
name = "trace-cost"
[[target]]
name = "flights.csv"
app = "targets.csv_app:app"
ready = "/csv?total=1"
baseline = "/csv?total={{total}}"
stream = "/csv/rows?total={{total}}&rows={{rows}}"
total = {total}
rows = [1, 50, 500]
[[server]]
kind = "gunicorn"
[[scenario]]
kind = "download"
"""
Arm = Callable[[Workshop, PlannedCase], AbstractContextManager[RunningServer]]

FIGURES = ("cpu_per_mb", "ttlb_p50", "ttfb_p50")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    total: int
    rounds: int
    window_s: float


WHOLE = Sizes(total=20_000, rounds=7, window_s=2.0)
SMOKE = Sizes(total=300, rounds=1, window_s=0.3)


def main() -> None:
    """Measure both arms of each case in each round, and print the ratios of the arms."""
    options = parser(__doc__ or "").parse_args()
    sizes = SMOKE if options.smoke else WHOLE
    cases = cases_of(parse_suite(SUITE.format(total=sizes.total), "trace_cost", None))
    load_rows(cases, Console(stderr=True))
    ratios: dict[str, dict[str, list[float]]] = {}
    with workshop(split_cores()) as shop:
        found = verify({planned.case.identity: planned for planned in cases}, shop, Untold())
        for number in range(sizes.rounds):
            for planned in cases:
                arms = [_bare, _traced] if number % 2 else [_traced, _bare]
                expected = found[planned.case.identity]
                seen = {arm: _measured(arm, shop, planned, expected, sizes.window_s) for arm in arms}
                for name in FIGURES:
                    kept = ratios.setdefault(planned.case.identity, {}).setdefault(name, [])
                    kept.append(seen[_traced][name] / seen[_bare][name])
    rows = []
    for planned in cases:
        chunk = found[planned.case.identity].median_chunk_bytes
        name = f"rows={planned.case.parameters['rows']}" if not planned.case.is_baseline else "whole"
        values = [spread(ratios[planned.case.identity][figure]) for figure in FIGURES]
        rows.append([name, f"{chunk:,} B" if chunk else "whole", *values])
    text = (
        f"Ratios, with the ledger to without it: {sizes.total:,} rows of CSV, gunicorn sync, "
        f"{sizes.rounds} rounds, medians (least to greatest).\n\n"
    )
    headings = ["case", "chunk", "CPU per MB", "TTLB p50", "TTFB p50"]
    publish("trace_cost", text + table(headings, rows), write=options.write)


@contextmanager
def _bare(shop: Workshop, planned: PlannedCase) -> Iterator[RunningServer]:
    with serving(
        planned, processes=shop.processes, folder=shop.folder, cores=shop.cores.server, python=shop.python
    ) as server:
        yield server


@contextmanager
def _traced(shop: Workshop, planned: PlannedCase) -> Iterator[RunningServer]:
    with (
        ledger_around(planned, shop.folder) as wrapped,
        serving(
            wrapped.planned,
            processes=shop.processes,
            folder=shop.folder,
            cores=shop.cores.server,
            python=shop.python,
        ) as server,
    ):
        yield server
        if not wrapped.records.exists():
            raise SystemExit("the ledger wrote nothing: what was measured is not its cost")


def _measured(
    arm: Arm, shop: Workshop, planned: PlannedCase, expected: Verification, window_s: float
) -> dict[str, float]:
    """The figures of one trial. Raises SystemExit when the trial does not give them."""
    with arm(shop, planned) as server:
        assert server.pid is not None  # it was started by us
        watch = ServerWatch(server.pid, shop.cores.server)
        watch.reset()
        try:
            load = shop.driver.run(
                TrialSpecification(
                    address=address_of(planned, server.port),
                    name=planned.case.identity,
                    load=Download(1),
                    warmup_s=window_s / 4,
                    window_s=window_s,
                    status=200,
                    body_bytes=expected.body_bytes,
                    digest=int(expected.digest, 16),
                )
            )
            figures = figures_of_trial(load, watch.read(server.ran_as))
        finally:
            watch.close()
    if load.errors:
        raise SystemExit(f"{planned.case.identity}: responses failed: {dict(load.errors)}")
    values = {name: figures[name] for name in FIGURES}
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise SystemExit(f"{planned.case.identity} has no {', '.join(missing)}: make the window longer")
    return {name: value for name, value in values.items() if value is not None}


if __name__ == "__main__":
    main()
