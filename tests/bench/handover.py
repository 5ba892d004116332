"""What a record costs the workers, the master and the harness, with a million of them to take over."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from harness.probes.memory import high_water_bytes, reset_high_water, rss_bytes
from results.records import COLUMN, REQUEST_STRUCT, LoadRecord
from results.store import Store
from tests.bench.crews import Bench, MadeUp, cpu_ns, made_up, measured
from tests.bench.tables import spread, table
from tests.results.examples import run_header, trial_record

_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Sizes:
    """How often so many records are handed over, in one trial and in so many."""

    rounds: int
    records: int
    trials: int


@dataclass(frozen=True, slots=True)
class Taken:
    """So many records, taken over in one or more trials: what that took, and how many are missing."""

    records: int
    lost: int
    seconds: float
    worker_ns: float
    master_ns: float
    harness_ns: float
    master_most_bytes: int
    harness_most_bytes: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What it comes to: CPU for each record of a long trial, from the drain until it is stored."""

    text: str
    master_ns: float
    harness_ns: float
    stored_ns: float
    most_bytes: float
    """Of memory for each record in the master and in the harness together, at their peaks."""


def cost_of_records(bench: Bench, crew: MadeUp, sizes: Sizes) -> Cost:
    """The table of what records cost that a crew makes up."""
    arms = {"in one trial": 1, f"in {sizes.trials} trials": sizes.trials}
    taken: dict[str, list[Taken]] = {name: [] for name in arms}
    stored: list[float] = []
    for trials in arms.values():
        measured(crew.driver.run, made_up(sizes.records // trials))  # from now on they need not be made
    idle_bytes = sum(rss_bytes(psutil.Process(pid)) for pid in (crew.driver.pid, os.getpid()))
    for turn in range(sizes.rounds):
        for name in list(arms)[:: -1 if turn % 2 else 1]:
            taken[name].append(_taken(crew, sizes.records, arms[name]))
        stored.append(_stored_ns(bench.folder / f"{turn}.sqlite", crew, sizes.records // sizes.trials))
    rows = [
        [
            name,
            f"{sum(one.records for one in made):,}",
            f"{sum(one.lost for one in made):,}",
            spread([one.seconds for one in made]),
            *(
                spread([value / one.records for value, one in zip(values, made, strict=True)])
                for values in (
                    [one.worker_ns for one in made],
                    [one.master_ns for one in made],
                    [one.harness_ns for one in made],
                )
            ),
            *(
                f"{max(values) / _MIB:.0f} MiB"
                for values in (
                    [one.master_most_bytes for one in made],
                    [one.harness_most_bytes for one in made],
                )
            ),
        ]
        for name, made in taken.items()
    ]
    head = (
        f"**{sizes.records:,} records of {REQUEST_STRUCT.size} bytes from {len(crew.pids)} workers** "
        f"({sizes.rounds} rounds; CPU in ns a record; seconds from the drain until the harness "
        "has merged them, of all trials together)"
    )
    headings = [
        "",
        "records",
        "lost",
        "seconds",
        "workers",
        "master",
        "harness",
        "master, at most",
        "harness",
    ]
    text = (
        f"{head}\n\n{table(headings, rows)}\n\nThe harness then stores them, as in every run: "
        f"{spread(stored)} ns of CPU a record."
    )
    long = taken["in one trial"]
    most = max(one.master_most_bytes + one.harness_most_bytes for one in long)
    return Cost(
        text,
        statistics.median(one.master_ns / one.records for one in long),
        statistics.median(one.harness_ns / one.records for one in long),
        statistics.median(stored),
        max(most - idle_bytes, 0) / sizes.records,
    )


def _taken(crew: MadeUp, records: int, trials: int) -> Taken:
    harness = psutil.Process(os.getpid())
    master = psutil.Process(crew.driver.pid)
    seconds, arrived, used, most = 0.0, 0, [0.0, 0.0, 0.0], [0, 0]
    for _ in range(trials):
        for process in (master, harness):
            reset_high_water(process)
        begun = _cpu_ns(crew)
        record = measured(crew.driver.run, made_up(records // trials))
        seconds += (time.monotonic_ns() - record.drained_ns) / 1e9
        used = [sum(one) - before for *one, before in zip(used, _cpu_ns(crew), begun, strict=True)]
        most = [max(one, high_water_bytes(of) or 0) for one, of in zip(most, (master, harness), strict=True)]
        arrived += _arrived(record, records // trials)
        del record
    made = records // trials * trials
    workers_ns, master_ns, harness_ns = used
    return Taken(made, made - arrived, seconds, workers_ns, master_ns, harness_ns, most[0], most[1])


def _stored_ns(path: Path, crew: MadeUp, records: int) -> float:
    """CPU of the harness for each record of a trial that goes into a store."""
    load = measured(crew.driver.run, made_up(records))
    with Store.create(path, run_header()) as store:
        store.add_workers(crew.driver.workers)
        trial = trial_record(0, load=load)
        begun = time.process_time_ns()
        store.add_trial(trial)
        return (time.process_time_ns() - begun) / records


def _cpu_ns(crew: MadeUp) -> list[float]:
    """Of the workers, the master and this process so far."""
    return [sum(map(cpu_ns, crew.pids)), cpu_ns(crew.driver.pid), time.process_time_ns()]


def _arrived(record: LoadRecord, sent: int) -> int:
    """How many different records arrived. Raises SystemExit where the workers counted others than we sent."""
    if sum(share.requests for share in record.workers) != sent:
        raise SystemExit(f"the workers counted {[share.requests for share in record.workers]}, not {sent}")
    return len(np.unique(record.requests[:, COLUMN["worker"]] * sent + record.requests[:, COLUMN["user"]]))
