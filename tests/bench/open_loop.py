"""A server that stalls once, asked by a closed loop and by open ones; and how late open ones start.

``python -m tests.bench.open_loop``: the loops ask the same server in turns, and each time it stands still.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xxhash

from analysis.table import amount, digits
from analysis.trial.figures import inside_window
from harness.loading.load import LoadDriver
from harness.programs.cores import split_cores
from harness.programs.processes import Processes
from results.metrics import Unit
from results.records import COLUMN, MISSING, LoadRecord
from scenarios.specification import Address, Arrivals, Download, Load, TrialSpecification
from tests.bench.tables import parser, publish, table
from tests.synthetic.stalling import StallingServer

STALL_RATE = 100
LOOPS: Mapping[str, Load] = {
    "closed, 1 user": Download(1),
    f"open, {STALL_RATE}/s, constant": Arrivals(STALL_RATE, "constant", 1000),
    f"open, {STALL_RATE}/s, Poisson": Arrivals(STALL_RATE, "poisson", 1000),
    f"open, {STALL_RATE}/s, constant, over one connection": Arrivals(STALL_RATE, "constant", 1),
}
LATE_RATES = (20, 200, 1000)
LATE_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """How often and how long; times in seconds."""

    rounds: int
    stall_s: float
    window_s: float


def main() -> None:
    options = parser("closed against open loop on a server that stalls").parse_args()
    sizes = Sizes(1, 0.3, 0.7) if options.smoke else Sizes(5, 1.0, 4.0)
    with (
        tempfile.TemporaryDirectory(prefix="sg-") as folder,
        Processes() as processes,
        LoadDriver(processes, Path(folder), split_cores().load) as driver,
        StallingServer() as server,
    ):
        text = f"{_stalls(driver, server, sizes)}\n\n{_starts(driver, server, sizes)}"
    publish("open_loop", text, write=options.write)


def _specification(server: StallingServer, load: Load, window_s: float, seed: str) -> TrialSpecification:
    return TrialSpecification(
        address=Address(server.host, server.port, "GET", "/", (), timeout_s=10, keep_alive=True),
        name="open_loop",
        load=load,
        warmup_s=0.2,
        window_s=window_s,
        status=200,
        body_bytes=len(server.body),
        digest=xxhash.xxh3_64_intdigest(server.body),
        schedule_seed=seed,
    )


def _stalls(driver: LoadDriver, server: StallingServer, sizes: Sizes) -> str:
    rounds: dict[str, list[list[float | None]]] = {name: [] for name in LOOPS}
    for number in range(sizes.rounds):
        for name, load in LOOPS.items():
            server.stall(after_s=0.4, for_s=sizes.stall_s)
            record = driver.run(_specification(server, load, sizes.window_s, str(number)))
            truth = server.truth()
            sent = record.requests[:, COLUMN["sent_ns"]]
            during = float(((sent >= truth.begin_ns) & (sent < truth.end_ns)).sum())
            rounds[name].append([during, *_waits(record, "sent_ns"), *_waits(record, "intended_ns")])
    rows = []
    for name, measured in rounds.items():
        asked, *waits = [_median(values) for values in zip(*measured, strict=True)]
        rows.append([name, digits(asked or 0), *(amount(wait, Unit.NANOSECONDS) for wait in waits)])
    return (
        f"A server that stands still for {sizes.stall_s:g} s in a window of {sizes.window_s:g} s. Rounds: "
        f"{sizes.rounds}; medians over them.\n\n"
    ) + table(
        ["loop", "sent during the stall", "TTFB p50", "p95", "max", "TTFB eff. p50", "p95", "max"], rows
    )


def _waits(record: LoadRecord, since: str) -> list[float | None]:
    """Median, p95 and maximum (ns) of the time to the first byte since this instant."""
    requests = record.requests[inside_window(record)]
    begins = requests[:, COLUMN[since]]
    if (begins == MISSING).any():
        return [None] * 3
    waits = requests[:, COLUMN["first_body_ns"]] - begins
    return [float(value) for value in np.quantile(waits, [0.5, 0.95, 1.0])]


def _median(values: tuple[float | None, ...]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _starts(driver: LoadDriver, server: StallingServer, sizes: Sizes) -> str:
    """How long after its instant a request begins, while the server answers at once."""
    late: dict[int, list[int]] = {rate: [] for rate in LATE_RATES}
    for number in range(sizes.rounds):
        for rate in LATE_RATES:
            load = Arrivals(rate, "poisson", 1000)
            record = driver.run(_specification(server, load, sizes.window_s, str(number)))
            late[rate] += record.requests[inside_window(record), COLUMN["late_ns"]].tolist()
    rows = []
    for rate, starts in late.items():
        quantiles = [amount(float(at), Unit.NANOSECONDS) for at in np.quantile(starts, [0.5, 0.95, 0.99])]
        over = sum(start > LATE_NS for start in starts) / len(starts)
        rows.append([f"{rate}/s, Poisson", digits(len(starts)), *quantiles, f"{over:.2%}"])
    return (
        "How long after its intended instant a request begins, on a server that answers at once:\n\n"
        + table(["schedule", "requests", "p50", "p95", "p99", "over 1 ms"], rows)
    )


if __name__ == "__main__":
    main()
