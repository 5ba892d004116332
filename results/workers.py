"""The load processes of a run that has several, and what each did in a trial."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Worker:
    """One load process: ``number`` from 0 in the order of joining, ``core`` that it is pinned to."""

    number: int
    name: str
    host: str
    version: str
    system: str
    cpu: str
    core: int | None
    joined_utc: str


@dataclass(frozen=True, slots=True)
class WorkerShare:
    """What one worker did in one trial."""

    worker: int
    requests: int
    client_cpu_ns: int
    client_wall_ns: int
    clock_drift_ns: int | None
    clock_span_ns: int | None
    clock_bend_ns: int | None
    client_scheduling: str
    offset_ns: int | None
    offset_bound_ns: int | None
