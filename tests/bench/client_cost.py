"""What the client costs: ours inside a Locust user, Locust's own users, wrk, h2load, and a bare loop.

nginx on loopback answers on one core, each client in turn asks from another. Rounds are interleaved: what the
machine does to a round it does to all clients of it, and ratios are taken round by round.
``python -m tests.bench.client_cost [--rounds N] [--seconds S] [--smoke] [--write]``
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from harness.loading.load import LoadDriver
from harness.programs.cores import split_cores
from harness.programs.processes import Processes
from tests.bench import peers
from tests.bench.nginx import Nginx, nginx
from tests.bench.peers import Asked, Cost
from tests.bench.tables import parser, publish, spread, table

Client = Callable[[Asked], Cost]
LARGE_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """Ours over this client: ``bound`` at least, or at most."""

    client: str
    bound: float
    at_least: bool

    def told(self, ratio: float) -> str:
        """The target beside what was reached."""
        reached = ratio >= self.bound if self.at_least else ratio <= self.bound
        return (
            f"- Target: {'at least' if self.at_least else 'at most'} {self.bound:g} of {self.client}; "
            f"{ratio:.3g}: {'reached' if reached else 'missed'}."
        )


@dataclass(frozen=True, slots=True)
class Load:
    """One table: what is asked, by whom, and by which figure the clients are compared."""

    title: str
    path: str
    connections: int
    keep_alive: bool
    clients: Mapping[str, Client]
    figure: Callable[[Cost], float]
    unit: str
    targets: Sequence[Target]


def loads(driver: LoadDriver) -> list[Load]:
    """The tables; the first client of each is ours."""
    ours: dict[str, Client] = {"ours, in a Locust user": partial(peers.ours, driver=driver)}
    locusts: dict[str, Client] = {"FastHttpUser": peers.fast_http_user, "HttpUser": peers.http_user}
    tools: dict[str, Client] = {"wrk": peers.wrk, "h2load": peers.h2load}
    bare: dict[str, Client] = {
        "bare recv_into loop": peers.bare_loop,
        "bare loop with xxh3": peers.bare_loop_with_hash,
    }

    def small(keep_alive: bool) -> Load:
        tool = tools if keep_alive else {"wrk": peers.wrk}
        return Load(
            f"1 KB responses, 8 connections, {'keep-alive' if keep_alive else 'one connection a request'}",
            "/small",
            8,
            keep_alive,
            ours | locusts | tool,
            lambda cost: cost.responses_per_cpu_s,
            "requests per CPU second",
            [Target("FastHttpUser", 5, at_least=True), Target("wrk", 0.4, at_least=True)],
        )

    def large(path: str, keep_alive: bool) -> Load:
        extra = bare if keep_alive else {}
        targets = [Target("wrk", 0.6, at_least=False)]
        if keep_alive:
            targets.append(Target("bare recv_into loop", 1.5, at_least=False))
        framing = "Content-Length" if path == "/large" else "chunked"
        reuse = "keep-alive" if keep_alive else "one connection a request"
        tool = tools if keep_alive else {"wrk": peers.wrk}
        return Load(
            f"50 MB responses, {framing}, 1 connection, {reuse}",
            path,
            1,
            keep_alive,
            ours | locusts | tool | extra,
            lambda cost: cost.cpu_s_per_gb,
            "client CPU seconds per GB",
            targets,
        )

    framings = ("/large", "/chunked/large")
    return [small(True), small(False), *(large(path, keep) for path in framings for keep in (True, False))]


def main() -> None:
    """Measure and print one table for each load."""
    made = parser("What the client costs beside Locust's own, wrk, h2load and a bare loop.")
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--seconds", type=float, default=2.0)
    made.add_argument("--only", default="", help="only the loads whose title holds this text")
    given = made.parse_args()
    rounds, seconds = (1, 0.15) if given.smoke else (given.rounds, given.seconds)
    cores = split_cores()
    with (
        tempfile.TemporaryDirectory(prefix="sg-") as folder,
        Processes() as processes,
        nginx(cores.server, 2_000_000 if given.smoke else LARGE_BYTES) as server,
        LoadDriver(processes, Path(folder), cores.load) as driver,
    ):
        if cores.load is not None:
            os.sched_setaffinity(0, cores.load)  # the clients that are started from here inherit it
        chosen = [load for load in loads(driver) if given.only in load.title]
        if given.smoke:
            chosen = _each_client_once(chosen)
        tables = [_measured(load, server, rounds, seconds) for load in chosen]
    publish("client_cost", "\n\n".join(tables), write=given.write)


def _each_client_once(chosen: Sequence[Load]) -> list[Load]:
    """The loads, each with ours and with the clients that no load before it has."""
    seen: set[str] = set()
    left = []
    for load in chosen:
        ours = next(iter(load.clients))
        clients = {name: ask for name, ask in load.clients.items() if name == ours or name not in seen}
        seen |= clients.keys()
        left.append(replace(load, clients=clients))
    return left


def _measured(load: Load, server: Nginx, rounds: int, seconds: float) -> str:
    asked = Asked(server, load.path, load.connections, seconds, load.keep_alive)
    figures: dict[str, list[float]] = {name: [] for name in load.clients}
    for turn in range(rounds):
        names = list(load.clients)
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            figures[name].append(load.figure(load.clients[name](asked)))
    own = figures[next(iter(load.clients))]
    ratios = {
        name: [mine / other for mine, other in zip(own, values, strict=True)]
        for name, values in figures.items()
    }
    rows = [[name, spread(values), spread(ratios[name])] for name, values in figures.items()]
    targets = "\n".join(
        target.told(statistics.median(ratios[target.client]))
        for target in load.targets
        if target.client in ratios
    )
    head = f"**{load.title}** ({rounds} rounds of {seconds:g} s)"
    return f"{head}\n\n{table(['client', load.unit, 'ours over this'], rows)}\n\n{targets}".rstrip()


if __name__ == "__main__":
    main()
