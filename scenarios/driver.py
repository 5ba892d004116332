"""The load driver: one long-lived child process, Locust as a library.

It takes one specification after another over a link and returns raw records. It ends when the link does.
Run as ``python -P -m scenarios.driver SOCKET_PATH``, with a port behind it as ``... SOCKET_PATH WEB_PORT``
where Locust's web UI is to show the load there. Importing this module imports Locust, which patches the
standard library for gevent: only this process may do it.
"""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic_ns, process_time_ns
from typing import Any

import gevent
import locust.stats
from gevent import socket
from locust import User
from locust.runners import LocalRunner

from results.records import REQUEST_STRUCT
from scenarios.arrival import StampClock
from scenarios.arrivals import ArrivalsUser
from scenarios.client import Request, TimedClient
from scenarios.exchange import NEVER_NS, Window
from scenarios.hang_ups import HangUpUser
from scenarios.kept import KeptExchange, NotKept
from scenarios.link import Link, LinkClosed
from scenarios.others import Others
from scenarios.polling import PollClock
from scenarios.schedule import offsets_ns
from scenarios.specification import (
    Arrivals,
    FetchSpecification,
    HangUp,
    Load,
    TraceSpecification,
    TrialSpecification,
    from_message,
)
from scenarios.traced import trace
from scenarios.user import StreamUser, Trial, TrialEnvironment
from scenarios.web_ui import show


def new_environment() -> tuple[TrialEnvironment, LocalRunner]:
    """Locust's environment with our users, and its runner."""
    # Locust's own console statistics would wake up the loop in the middle of a window.
    locust.stats.CONSOLE_STATS_INTERVAL_SEC = 3600
    environment = TrialEnvironment(user_classes=[StreamUser, ArrivalsUser, HangUpUser])
    return environment, environment.create_local_runner()


def without_statistics(environment: TrialEnvironment) -> None:
    """Take Locust's statistics off: nobody reads them, and they cost a quarter of a small request."""
    request = environment.events.request
    request.remove_listener(request._handlers[0])  # type: ignore[no-untyped-call]  # they are the first


def serve(link: Link, environment: TrialEnvironment, runner: LocalRunner) -> None:
    """Answer specifications until the harness is gone."""
    polls = PollClock()
    gc.freeze()
    while True:
        try:
            message, _ = link.receive()
            specification = from_message(message)
            if isinstance(specification, FetchSpecification):
                link.send(_fetch(specification, polls))
            elif isinstance(specification, TraceSpecification):
                link.send(*trace(specification, polls))
            else:
                link.send(*run_trial(environment, runner, specification, polls))
        except LinkClosed:
            return


def _fetch(specification: FetchSpecification, polls: PollClock) -> dict[str, Any]:
    address = specification.address
    client = TimedClient(
        address.host, address.port, timeout_s=address.timeout_s, clock=StampClock(), polls=polls
    )
    request = Request.to(replace(address, keep_alive=False))
    try:
        with Path(specification.keep_in).open("wb") as file:
            exchange = client.perform(
                request,
                lambda: KeptExchange(
                    address.method, Window(NEVER_NS, NEVER_NS), file, specification.most_bytes
                ),
            )
    except (OSError, NotKept) as error:
        return {"failure": f"the body cannot be kept for comparison in {specification.keep_in}: {error}"}
    return {
        "status": exchange.status,
        "body_bytes": exchange.body_bytes,
        "digest": exchange.digest(),
        "encoding": exchange.encoding,
        "framing": exchange.framing,
        "chunks": exchange.chunks.count or None,
        "first_chunk_bytes": exchange.chunks.first,
        "median_chunk_bytes": exchange.chunks.median,
        "failure": exchange.error or None,
        "unended": exchange.unended,
    }


def run_trial(
    environment: TrialEnvironment, runner: LocalRunner, specification: TrialSpecification, polls: PollClock
) -> tuple[dict[str, Any], bytearray]:
    """Stop issuing at the window's end, let what is under way finish, and hand everything over.

    The packed bytes are the streams' requests and, behind them, those of others.
    """
    beside = specification.others
    user_class, users = _users(specification.load)
    schedules = _schedule(specification), () if beside is None else _schedule(beside)
    gc.collect()
    gc.disable()  # a collection in the middle of a window would look like a slow server
    started_ns = monotonic_ns()
    open_ns = started_ns + round((beside or specification).warmup_s * 1e9)
    window = Window(open_ns, open_ns + round(specification.window_s * 1e9))
    fire = environment.events.request.fire
    trial = Trial(specification, window, polls, users=users, fire=fire, offsets_ns=schedules[0])
    others = None if beside is None else Others(beside, trial, fire=fire, offsets_ns=schedules[1])
    environment.trial = trial
    _sleep_until(trial.begun_ns)
    runner.start(users, spawn_rate=users, user_classes=[user_class])
    _sleep_until(trial.window.open_ns)
    moved = [(monotonic_ns(), trial.clock.drift_ns())]
    cpu_ns, wall_ns = process_time_ns(), monotonic_ns()
    _sleep_until(trial.window.close_ns)
    cpu_ns, wall_ns = process_time_ns() - cpu_ns, monotonic_ns() - wall_ns
    moved.append((monotonic_ns(), trial.clock.drift_ns()))
    trial.issuing = False
    trial.drained.wait()
    found = {} if others is None else {"others": others.found()}
    drained_ns = monotonic_ns()
    runner.stop()
    gc.enable()
    message = {
        "window_open_ns": trial.window.open_ns,
        "window_close_ns": trial.window.close_ns,
        "drained_ns": drained_ns,
        "issued": trial.issued,
        "recorded": len(trial.packed) // REQUEST_STRUCT.size,
        "errors": dict(trial.errors),
        "client_cpu_ns": cpu_ns,
        "client_wall_ns": wall_ns,
        "clock_begun_ns": trial.clock.begun_ns,
        "clock_drift_ns": None,
        "clock_span_ns": None,
        "clock_bend_ns": None,
        "others": None,
        **found,
    }
    if trial.clock.stamped:
        drift_ns, span_ns = trial.clock.drift_ns(), monotonic_ns() - trial.clock.begun_ns
        even = [drift_ns * (at_ns - trial.clock.begun_ns) / span_ns for at_ns, _ in moved]
        bends = [abs(seen - expected) for (_, seen), expected in zip(moved, even, strict=True)]
        message |= {
            "clock_drift_ns": drift_ns,
            "clock_span_ns": span_ns,
            "clock_bend_ns": round(max(bends)),
        }
    behind = trial.follow_ups if others is None else others.packed
    trial.packed += behind
    return message, trial.packed  # of a long trial hundreds of megabytes: no copy is made


def _users(load: Load) -> tuple[type[User], int]:
    """Who conducts a load, and how many of them."""
    match load:
        case HangUp():
            return HangUpUser, load.users
        case Arrivals():
            return ArrivalsUser, 1
        case _:
            return StreamUser, load.users


def _schedule(specification: TrialSpecification) -> Sequence[int]:
    """Up to the window's end: nothing is sent after it. Empty in a closed loop."""
    load = specification.load
    if not isinstance(load, Arrivals):
        return ()
    span_s = specification.warmup_s + specification.window_s
    return offsets_ns(load.spacing, load.rate, span_s, specification.schedule_seed)


def _sleep_until(instant_ns: int) -> None:
    while (left_ns := instant_ns - monotonic_ns()) > 0:
        gevent.sleep(left_ns / 1e9)


def main() -> None:
    """Connect to the harness and serve it; a web UI is there by then."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    environment, runner = new_environment()
    if len(sys.argv) > 2:
        show(environment, int(sys.argv[2]))
    else:
        without_statistics(environment)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(sys.argv[1])
    serve(Link(connection), environment, runner)


if __name__ == "__main__":
    main()
