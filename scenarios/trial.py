"""One trial's load in this process: from its begin to the end of the drain. Importing this imports Locust."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from time import monotonic_ns, process_time_ns
from typing import Any, Protocol

import gevent
from locust import User
from locust.runners import LocalRunner, WorkerRunner

from results.records import REQUEST_STRUCT
from scenarios.arrivals import ArrivalsUser
from scenarios.exchange import Window
from scenarios.hang_ups import HangUpUser
from scenarios.others import Others
from scenarios.polling import PollClock
from scenarios.schedule import offsets_ns
from scenarios.specification import Arrivals, HangUp, Load, TrialSpecification
from scenarios.user import StreamUser, Trial, TrialEnvironment

#: The users of all kinds of load.
USERS: Sequence[type[User]] = (StreamUser, ArrivalsUser, HangUpUser)


class Crowd(Protocol):
    """Who starts and stops the users of a trial: Locust's runner."""

    def start(self, users: type[User], count: int) -> None:
        """So many of a kind."""

    def stop(self) -> None:
        """End those that are left."""


class LocalCrowd:
    """Locust on its own."""

    def __init__(self, runner: LocalRunner) -> None:
        self._runner = runner

    def start(self, users: type[User], count: int) -> None:
        """So many of a kind."""
        self._runner.start(count, spawn_rate=count, user_classes=[users])

    def stop(self) -> None:
        """End those that are left."""
        self._runner.stop()


class WorkerCrowd:
    """Locust as a worker, which is told by its master what to start: here by our own messages."""

    def __init__(self, runner: WorkerRunner) -> None:
        self._runner = runner

    def start(self, users: type[User], count: int) -> None:
        """So many of a kind."""
        self._runner.start_worker({users.__name__: count})

    def stop(self) -> None:
        """End those that are left."""
        self._runner.stop()
        self._runner.worker_state = "ready"


def run_trial(
    environment: TrialEnvironment,
    crowd: Crowd,
    specification: TrialSpecification,
    polls: PollClock,
    *,
    begin_ns: int | None = None,
    worker: int = 0,
) -> tuple[dict[str, Any], bytearray]:
    """Stop issuing at the window's end, let what is under way finish, and hand everything over.

    It begins at once, or at ``begin_ns`` (CLOCK_MONOTONIC). The packed bytes are the streams' requests and,
    behind them, those of others; all of them say that this ``worker`` made them.
    """
    beside = specification.others
    user_class, users = _users(specification.load)
    schedules = _schedule(specification), () if beside is None else _schedule(beside)
    gc.collect()
    gc.disable()  # a collection in the middle of a window would look like a slow server
    others: Others | None = None
    try:
        if begin_ns is not None:
            _sleep_until(begin_ns)
        open_ns = (begin_ns or monotonic_ns()) + round(specification.longest_warmup_s * 1e9)
        window = Window(open_ns, open_ns + round(specification.window_s * 1e9))
        fire = environment.events.request.fire
        trial = Trial(
            specification, window, polls, users=users, fire=fire, offsets_ns=schedules[0], worker=worker
        )
        if beside is not None:
            others = Others(beside, trial, fire=fire, offsets_ns=schedules[1])
        environment.trial = trial
        _sleep_until(trial.begun_ns)
        crowd.start(user_class, users)
        _sleep_until(window.open_ns)
        moved = [(monotonic_ns(), trial.clock.drift_ns())]
        cpu_ns, wall_ns = process_time_ns(), monotonic_ns()
        _sleep_until(window.close_ns)
        cpu_ns, wall_ns = process_time_ns() - cpu_ns, monotonic_ns() - wall_ns
        moved.append((monotonic_ns(), trial.clock.drift_ns()))
        trial.issuing = False
        trial.drained.wait()
        found = None if others is None else others.found()
        drained_ns = monotonic_ns()
    finally:
        if others is not None:
            others.end()
        crowd.stop()
        gc.enable()
    message = {
        "worker": worker,
        "window_open_ns": window.open_ns,
        "window_close_ns": window.close_ns,
        "drained_ns": drained_ns,
        "issued": trial.issued,
        "recorded": len(trial.packed) // REQUEST_STRUCT.size,
        "errors": dict(trial.errors),
        "client_cpu_ns": cpu_ns,
        "client_wall_ns": wall_ns,
        "client_scheduling": _scheduling(),
        "clock_begun_ns": trial.clock.begun_ns,
        "others": found,
        **_moved(trial, moved),
    }
    behind = trial.follow_ups if others is None else others.packed
    trial.packed += behind
    return message, trial.packed  # of a long trial hundreds of megabytes: no copy is made


def _moved(trial: Trial, moved: Sequence[tuple[int, int]]) -> dict[str, int | None]:
    """How the wall clock moved over the trial, and how far it was off an even drift; nulls without stamps."""
    if not trial.clock.stamped:
        return {"clock_drift_ns": None, "clock_span_ns": None, "clock_bend_ns": None}
    drift_ns, span_ns = trial.clock.drift_ns(), monotonic_ns() - trial.clock.begun_ns
    even = [drift_ns * (at_ns - trial.clock.begun_ns) / span_ns for at_ns, _ in moved]
    bends = [abs(seen - expected) for (_, seen), expected in zip(moved, even, strict=True)]
    return {"clock_drift_ns": drift_ns, "clock_span_ns": span_ns, "clock_bend_ns": round(max(bends))}


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
    whole = offsets_ns(load.spacing, load.rate, span_s, specification.schedule_seed)
    return whole[specification.part :: specification.parts]


def _scheduling() -> str:
    """This process's scheduling policy (sched(7))."""
    if not hasattr(os, "sched_getscheduler"):
        return "SCHED_OTHER"
    policy = os.sched_getscheduler(0)
    return next((name for name in ("SCHED_FIFO", "SCHED_RR") if getattr(os, name) == policy), "SCHED_OTHER")


def _sleep_until(instant_ns: int) -> None:
    while (left_ns := instant_ns - monotonic_ns()) > 0:
        gevent.sleep(left_ns / 1e9)
