"""Whether taking records over disturbs a target: looked at while another master does nothing else."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import xxhash

from analysis.table import digits
from analysis.trial.figures import figures_of_trial
from harness.loading.load import LoadDriver, LoadFailed
from harness.programs.cores import Cores
from results.records import COLUMN
from scenarios.specification import Address, Arrivals, Download, Load, TrialSpecification
from tests.bench.crews import Bench, MadeUp, cpu_ns, made_up, measured, of_this_machine, tree_cpu_ns
from tests.bench.nginx import Nginx, nginx
from tests.bench.tables import spread, table

#: What a second of a million records a minute is.
_A_SECOND = round(1_000_000 / 60)
_LOADS: Mapping[str, Load] = {
    "closed loop, 2 users": Download(2),
    "open loop, 1,000/s": Arrivals(1000, "constant", 100),
}
_LOOK_EVERY_S = 0.01
_HANDED_OVER_EVERY_S = 1.0


@dataclass(slots=True)
class _HandingOver:
    """Records that are taken over, second by second, while something else is measured."""

    crew: MadeUp
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
                record = self.crew.driver.run(made_up(_A_SECOND))
            except LoadFailed:
                self.failed += 1
            else:
                self.records += _A_SECOND
                self.lost += _A_SECOND - len(record.requests)
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


def disturbance(bench: Bench, crew: MadeUp, cores: Cores, rounds: int, window_s: float) -> str:
    """The table of a target under steady load, while the crew hands over made-up records, and without."""
    seen: dict[tuple[str, bool], list[Disturbed]] = {}
    handed: list[_HandingOver] = []
    with (
        nginx(cores.server, 1024) as server,
        of_this_machine(bench, "steady", cores, 1) as driver,
    ):
        crew.driver.run(made_up(_A_SECOND))
        for turn in range(rounds):
            for name, load in _LOADS.items():
                for beside in (turn % 2 == 0, turn % 2 != 0):
                    over = _HandingOver(crew)
                    with over.going_on() if beside else contextlib.nullcontext():
                        found = _looked_at(driver, server, load, window_s)
                    seen.setdefault((name, beside), []).append(found)
                    if beside:
                        handed.append(over)
    return _told(seen, handed, rounds, window_s)


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
        record = measured(driver.run, asked)
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


def _told(
    seen: dict[tuple[str, bool], list[Disturbed]],
    handed: Sequence[_HandingOver],
    rounds: int,
    window_s: float,
) -> str:
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
        f"({rounds} rounds, windows of {window_s:g} s; {records:,} records handed over at "
        f"{digits(records / seconds * 60 / 1e6)} million a minute, {sum(one.lost for one in handed)} lost, "
        f"invalid trials among them: {sum(one.failed for one in handed)}; "
        "the crew's own master in percent of a core)"
    )
    headings = ["", "TTFB p50, µs", "p95, µs", "responses/s", "server, µs a response"]
    return f"{head}\n\n{table([*headings, 'own master, in the window', 'after the drain'], rows)}"
