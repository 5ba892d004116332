"""Made-up runs whose load several processes made: who they were, and what each did, is known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from results.run import Run
from results.workers import Worker, WorkerShare

#: Of each worker in each trial in which it had a part.
REQUESTS = 50
BOUND_NS = 40_000


def worker(number: int, host: str = "load-a") -> Worker:
    return Worker(
        number=number,
        name=f"{host}/{number}",
        host=host,
        version="0.1.0",
        system="Linux 6.1 x86_64",
        cpu="cpu of a load machine",
        core=number,
        joined_utc="2031-02-03T04:05:06+00:00",
    )


def share(number: int, offset_bound_ns: int | None = BOUND_NS) -> WorkerShare:
    return WorkerShare(
        worker=number,
        requests=REQUESTS,
        client_cpu_ns=1,
        client_wall_ns=10,
        clock_drift_ns=0,
        clock_span_ns=1,
        client_scheduling="other",
        offset_ns=0 if offset_bound_ns == 0 else -7_000_000,
        offset_bound_ns=offset_bound_ns,
    )


#: Two workers, on a machine each.
CREW = (worker(0), worker(1, "load-b"))


def shared(
    run: Run,
    workers: Sequence[Worker] = CREW,
    *,
    place: str = "elsewhere",
    by_first_only: Collection[int] = (),
    bound_ns: int | None = BOUND_NS,
) -> Run:
    """The run as if these had made its load; all of the trials at ``by_first_only`` by the first."""
    trials = [
        replace(
            trial,
            workers=[
                share(item.number, bound_ns) for item in (workers[:1] if index in by_first_only else workers)
            ],
        )
        for index, trial in enumerate(run.trials)
    ]
    environment = {**run.header.environment, "load_processes": {place: len(workers)}}
    header = replace(run.header, environment=environment)
    return replace(run, header=header, trials=trials, workers=list(workers))
