"""What a record costs in the master and the harness, and whether taking records over disturbs the target."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import xxhash

from analysis.table import digits
from analysis.trial.figures import figures_of_trial
from harness.cores import Cores
from harness.load import LoadDriver, LoadFailed
from harness.memory import high_water_bytes, reset_high_water
from results.records import COLUMN, REQUEST_STRUCT, LoadRecord
from results.store import Store
from scenarios.specification import Address, Arrivals, Download, Load, TrialSpecification
from tests.bench.crews import Bench, MadeUp, checked, cpu_ns, of_made_up, of_this_machine, tree_cpu_ns
from tests.bench.nginx import Nginx, nginx
from tests.bench.tables import spread, table
from tests.results.examples import run_header, trial_record

#: What a second of a million records a minute is.
A_MILLION_A_MINUTE = 1_000_000 / 60
_WORKERS = 2
_MIB = 2**20
_LOADS: dict[str, Load] = {
    "closed loop, 2 users": Download(2),
    "open loop, 1,000/s": Arrivals(1000, "constant", 100),
}
_LOOK_EVERY_S = 0.01
_HANDED_OVER_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many records in how many trials, and how long the target is looked at."""

    rounds: int
    records: int
    trials: int
    target_rounds: int
    window_s: float


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


def handover(bench: Bench, cores: Cores, sizes: Sizes) -> str:
    """The tables of what records cost, and of a target while some are handed over."""
    with of_made_up(bench, "made-up", cores, _WORKERS) as crew:
        return f"{_cost(bench, crew, sizes)}\n\n{_disturbance(bench, crew, cores, sizes)}"


def _cost(bench: Bench, crew: MadeUp, sizes: Sizes) -> str:
    arms = {"in one trial": 1, f"in {sizes.trials} trials": sizes.trials}
    taken: dict[str, list[Taken]] = {name: [] for name in arms}
    stored: list[float] = []
    for trials in arms.values():
        crew.driver.run(_made_up(sizes.records // trials))  # from now on they are made, and need no more CPU
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
        f"**{sizes.records:,} records of {REQUEST_STRUCT.size} bytes from {_WORKERS} workers** "
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
    return (
        f"{head}\n\n{table(headings, rows)}\n\nThe harness then stores them, as in every run: "
        f"{spread(stored)} ns of CPU a record."
    )


def _made_up(records: int, window_s: float = 0.01) -> TrialSpecification:
    nobody = Address("127.0.0.1", 9, "GET", "/", (), timeout_s=10, keep_alive=True)
    return TrialSpecification(nobody, "made up", Download(records), 0, window_s, 200, 0, None)


def _taken(crew: MadeUp, records: int, trials: int) -> Taken:
    harness = psutil.Process(os.getpid())
    master = psutil.Process(crew.driver.pid)
    seconds, arrived, used, most = 0.0, 0, [0.0, 0.0, 0.0], [0, 0]
    for _ in range(trials):
        for process in (master, harness):
            reset_high_water(process)
        begun = _cpu_ns(crew)
        record = crew.driver.run(_made_up(records // trials))
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
    load = crew.driver.run(_made_up(records))
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


@dataclass(slots=True)
class _HandingOver:
    """Records that are taken over, second by second, while something else is measured."""

    crew: MadeUp
    a_second: int
    seconds: float = 0.0
    records: int = 0
    lost: int = 0
    failed: int = 0
    """Trials that did not count, because a worker of theirs had no time in time."""
    _over: threading.Event = field(default_factory=threading.Event)

    def go_on(self) -> None:
        """Until it is over."""
        begun = due = time.monotonic()
        while not self._over.is_set():
            try:
                record = self.crew.driver.run(_made_up(self.a_second))
            except LoadFailed:
                self.failed += 1
            else:
                self.records += self.a_second
                self.lost += self.a_second - len(record.requests)
            due += _HANDED_OVER_EVERY_S
            self._over.wait(max(due - time.monotonic(), 0))
        self.seconds = time.monotonic() - begun

    @contextlib.contextmanager
    def going_on(self) -> Iterator[None]:
        """While the block lasts, from the second that it begins in."""
        thread = threading.Thread(target=self.go_on)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()


@dataclass(frozen=True, slots=True)
class Disturbed:
    """What was seen of the target in one trial, and of the master of the crew that asked it."""

    ttfb_p50_us: float
    ttfb_p95_us: float
    responses_per_s: float
    server_us: float
    """CPU a response."""
    master_in_window: float
    """The share of a core that the crew's own master took inside the window."""
    master_after: float
    """The same, from the drain until the harness had the records."""


def _disturbance(bench: Bench, crew: MadeUp, cores: Cores, sizes: Sizes) -> str:
    seen: dict[tuple[str, bool], list[Disturbed]] = {}
    handed: list[_HandingOver] = []
    with (
        nginx(cores.server, 1024) as server,
        of_this_machine(bench, "steady", cores, 1) as driver,
    ):
        crew.driver.run(_made_up(round(A_MILLION_A_MINUTE)))
        for turn in range(sizes.target_rounds):
            for name, load in _LOADS.items():
                for beside in (turn % 2 == 0, turn % 2 != 0):
                    over = _HandingOver(crew, round(A_MILLION_A_MINUTE * _HANDED_OVER_EVERY_S))
                    with over.going_on() if beside else contextlib.nullcontext():
                        found = _looked_at(driver, server, load, sizes.window_s)
                    seen.setdefault((name, beside), []).append(found)
                    if beside:
                        handed.append(over)
    return _told(seen, handed, sizes)


def _looked_at(driver: LoadDriver, server: Nginx, load: Load, window_s: float) -> Disturbed:
    body = server.bodies["/small"]
    asked = TrialSpecification(
        address=Address(server.host, server.port, "GET", "/small", (), 10, keep_alive=True),
        name="steady",
        load=load,
        warmup_s=0.3,
        window_s=window_s,
        status=200,
        body_bytes=len(body),
        digest=xxhash.xxh3_64_intdigest(body),
    )
    looks: list[tuple[int, int]] = []
    over = threading.Event()
    looker = threading.Thread(target=_look, args=(driver.pid, looks, over))
    server_ns = tree_cpu_ns(server.pid)
    looker.start()
    try:
        record = checked(driver.run(asked))
    finally:
        over.set()
        looker.join()
    server_ns = tree_cpu_ns(server.pid) - server_ns
    figures = figures_of_trial(record, None)
    p50, p95 = (figures[name] or float("nan") for name in ("ttfb_p50", "ttfb_p95"))
    last = record.requests[:, COLUMN["last_ns"]]
    ended = int(((last >= record.window_open_ns) & (last < record.window_close_ns)).sum())
    return Disturbed(
        p50 / 1e3,
        p95 / 1e3,
        ended / window_s,
        server_ns / len(last) / 1e3,
        _used(looks, record.window_open_ns, record.window_close_ns),
        _used(looks, record.drained_ns, looks[-1][0]),
    )


def _look(pid: int, looks: list[tuple[int, int]], over: threading.Event) -> None:
    """At the CPU of a process, again and again: (CLOCK_MONOTONIC ns, CPU ns)."""
    while not over.wait(_LOOK_EVERY_S):
        looks.append((time.monotonic_ns(), cpu_ns(pid)))
    looks.append((time.monotonic_ns(), cpu_ns(pid)))


def _used(looks: Sequence[tuple[int, int]], begin_ns: int, end_ns: int) -> float:
    """Cores between two instants, by what was seen around them."""
    at, cpu = zip(*looks, strict=True)
    used = np.interp([begin_ns, end_ns], at, cpu)
    return float(used[1] - used[0]) / (end_ns - begin_ns)


def _told(seen: dict[tuple[str, bool], list[Disturbed]], handed: Sequence[_HandingOver], sizes: Sizes) -> str:
    rows = []
    for name in _LOADS:
        without, beside = seen[name, False], seen[name, True]
        for word, made in (("without", without), ("beside", beside)):
            rows.append(
                [
                    f"{name}, {word}",
                    spread([one.ttfb_p50_us for one in made]),
                    spread([one.ttfb_p95_us for one in made]),
                    spread([one.responses_per_s for one in made]),
                    spread([one.server_us for one in made]),
                    spread([100 * one.master_in_window for one in made]),
                    spread([100 * one.master_after for one in made]),
                ]
            )
        rows.append(
            [
                "beside over without",
                *(
                    spread(
                        [getattr(a, field) / getattr(b, field) for a, b in zip(beside, without, strict=True)]
                    )
                    for field in ("ttfb_p50_us", "ttfb_p95_us", "responses_per_s", "server_us")
                ),
                "",
                "",
            ]
        )
    records, seconds = sum(one.records for one in handed), sum(one.seconds for one in handed)
    head = (
        f"**A target under steady load, while another master takes over records beside it** "
        f"({sizes.target_rounds} rounds, windows of {sizes.window_s:g} s; {records:,} records handed over at "
        f"{digits(records / seconds * 60 / 1e6)} million a minute, {sum(one.lost for one in handed)} lost, "
        f"{sum(one.failed for one in handed)} trials of them invalid; "
        "the crew's own master in percent of a core)"
    )
    headings = ["", "TTFB p50, µs", "p95, µs", "responses/s", "server, µs a response"]
    return f"{head}\n\n{table([*headings, 'own master, in the window', 'after the drain'], rows)}"
