"""What one load process delivers, and two, on this machine and on others; and what being a worker costs."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import xxhash

from analysis.table import digits
from harness.loading.load import LoadDriver
from harness.programs.cores import Cores
from results.records import COLUMN, LoadRecord
from scenarios.specification import Address, Download, TrialSpecification
from tests.bench.crews import Bench, alone, measured, of_hosts, of_this_machine, tree_cpu_ns
from tests.bench.nginx import Nginx, nginx
from tests.bench.tables import spread, table
from tests.hosts import Host

#: How load and server can share the cores.
PINNED, FREE = "load on one core, the server on the other", "nothing pinned"
#: Above this share of a core, it was the bottleneck.
_FULL = 0.9
_WARMUP_S = 0.3
_ONE_WORKER = "1 load process"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How often and how long each is measured, and how it is pinned: `PINNED` or `FREE`."""

    rounds: int
    window_s: float
    large_bytes: int
    pinnings: Sequence[str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of responses: so many ``users`` ask for them, and what counts is a second's worth of them."""

    title: str
    path: str
    users: int
    heading: str
    per: str
    counted: Callable[[LoadRecord], float]
    """In the window, in the unit of the heading."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One trial: what a second delivered, and how many cores it took (their CPU over the window's time)."""

    rate: float
    load_cores: float
    busiest_cores: float
    server_cores: float


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of making the load; it asks its own ``server``."""

    name: str
    pinning: str
    run: Callable[[TrialSpecification], LoadRecord]
    server: Nginx


def kinds(large_bytes: int) -> list[Kind]:
    """Small responses, which cost by their number, and large ones, which cost by their bytes."""
    return [
        Kind("1 KB responses, 8 users", "/small", 8, "requests/s", "a request", _responses),
        Kind(f"{large_bytes / 1e6:g} MB responses, 4 users", "/large", 4, "MB/s", "a MB", _megabytes),
    ]


@dataclass(frozen=True, slots=True)
class Growth:
    """The tables, and what one pinned worker takes of CPU (µs) for each response or MB of each kind."""

    text: str
    costs_us: Sequence[float]


def growth(bench: Bench, pinned: Cores, listen: str, hosts: Sequence[Host], sizes: Sizes) -> Growth:
    """Measure the arms in turns. Without hosts (two are needed), their rows are left out."""
    with contextlib.ExitStack() as stack:
        arms = [
            arm
            for pinning in sizes.pinnings
            for arm in stack.enter_context(
                _arms(bench, pinning, pinned if pinning == PINNED else Cores(), listen, hosts, sizes)
            )
        ]
        found, costs_us = [], []
        worker = next(at for at, arm in enumerate(arms) if arm.name == _ONE_WORKER)
        for kind in kinds(sizes.large_bytes):
            seen: list[list[Seen]] = [[] for _ in arms]
            for turn in range(sizes.rounds):
                for shifted in range(len(arms)):
                    at = (turn + shifted) % len(arms)
                    seen[at].append(_measured(arms[at], kind, sizes.window_s))
            found.append(_told(kind, arms, seen, sizes))
            costs_us.append(statistics.median(_cost_us(one) for one in seen[worker]))
    return Growth("\n\n".join(found), costs_us)


@contextlib.contextmanager
def _arms(
    bench: Bench, pinning: str, cores: Cores, listen: str, hosts: Sequence[Host], sizes: Sizes
) -> Iterator[list[Arm]]:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(nginx(cores.server, sizes.large_bytes, listen))
        single = stack.enter_context(alone(bench, f"{pinning}-alone", cores))
        crews = {"process": stack.enter_context(of_this_machine(bench, f"{pinning}-here", cores, 2))}
        if hosts:
            crews["host"] = stack.enter_context(of_hosts(bench, f"{pinning}-hosts", cores, listen, hosts))
        runs: dict[str, Callable[[TrialSpecification], LoadRecord]] = {"the driver alone": single.run}
        for what, driver in crews.items():
            runs[f"1 load {what}"] = partial(_by_one, driver)
            runs[f"2 load {what}{'es' if what.endswith('s') else 's'}"] = driver.run
        yield [Arm(name, pinning, run, server) for name, run in runs.items()]


def _by_one(driver: LoadDriver, asked: TrialSpecification) -> LoadRecord:
    return driver.run_on(driver.workers[0], asked)[0]


def _measured(arm: Arm, kind: Kind, window_s: float) -> Seen:
    body = arm.server.bodies[kind.path]
    asked = TrialSpecification(
        address=Address(arm.server.host, arm.server.port, "GET", kind.path, (), 60, keep_alive=True),
        name="scale",
        load=Download(kind.users),
        warmup_s=_WARMUP_S,
        window_s=window_s,
        status=200,
        body_bytes=len(body),
        digest=xxhash.xxh3_64_intdigest(body),
    )
    server_ns = tree_cpu_ns(arm.server.pid)
    record = measured(arm.run, asked)
    server_ns = tree_cpu_ns(arm.server.pid) - server_ns
    window_ns = record.window_close_ns - record.window_open_ns
    delivered = kind.counted(record)
    # the server's CPU was taken from the first request to the last: warm-up and drain are no part of this
    whole = len(record.requests) if kind.counted is _responses else _all_megabytes(record)
    used = [share.client_cpu_ns / share.client_wall_ns for share in record.workers]
    used = used or [record.client_cpu_ns / record.client_wall_ns]
    return Seen(
        rate=delivered / (window_ns / 1e9),
        load_cores=sum(used),
        busiest_cores=max(used),
        server_cores=server_ns * delivered / whole / window_ns,
    )


def _responses(record: LoadRecord) -> float:
    last = record.requests[:, COLUMN["last_ns"]]
    return float(((last >= record.window_open_ns) & (last < record.window_close_ns)).sum())


def _megabytes(record: LoadRecord) -> float:
    columns = (record.requests[:, COLUMN[name]] for name in ("bytes_at_close", "bytes_at_open"))
    at_close, at_open = columns
    return float((at_close - at_open).sum()) / 1e6


def _all_megabytes(record: LoadRecord) -> float:
    return float(record.requests[:, COLUMN["body_bytes"]].sum()) / 1e6


def _told(kind: Kind, arms: Sequence[Arm], seen: Sequence[Sequence[Seen]], sizes: Sizes) -> str:
    parts = []
    for pinning in sizes.pinnings:
        chosen = [(arm, made) for arm, made in zip(arms, seen, strict=True) if arm.pinning == pinning]
        first = chosen[0][1]
        rows = [
            [
                arm.name,
                spread([one.rate for one in made]),
                _over([one.rate for one in made], [one.rate for one in first]),
                *(digits(statistics.median(values)) for values in _cores(made)),
                _bottleneck(made, pinning),
                spread([_cost_us(one) for one in made]),
                _over([_cost_us(one) for one in made], [_cost_us(one) for one in first]),
            ]
            for arm, made in chosen
        ]
        headings = ["load", kind.heading, "over the first", "load, cores", "server, cores", "bottleneck"]
        parts.append(
            f"**{kind.title}; {pinning}** ({sizes.rounds} rounds, windows of {sizes.window_s:g} s)\n\n"
            + table([*headings, f"load, CPU µs {kind.per}", "over the first"], rows)
        )
    return "\n\n".join(parts)


def _over(values: Sequence[float], first: Sequence[float]) -> str:
    """The ratios, round by round; of the first itself there is nothing to tell."""
    if values == first:
        return "–"
    return spread([one / own for one, own in zip(values, first, strict=True)])


def _cores(made: Sequence[Seen]) -> list[list[float]]:
    return [[one.load_cores for one in made], [one.server_cores for one in made]]


def _cost_us(seen: Seen) -> float:
    """CPU of the load for one of what is counted."""
    return seen.load_cores / seen.rate * 1e6


def _bottleneck(made: Sequence[Seen], pinning: str) -> str:
    """Which side had no more to give, by the medians."""
    load, server = (statistics.median(values) for values in _cores(made))
    busiest = statistics.median(one.busiest_cores for one in made)
    full = [
        name
        for name, cores in (("load", load if pinning == PINNED else busiest), ("server", server))
        if cores > _FULL
    ]
    if not full and pinning == FREE and load + server > 2 * _FULL:
        return "both cores"
    return " and ".join(full) or "neither"
