"""The load processes of a run that has several, and what each did in a trial."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields


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
    """What one worker did in one trial: ``requests`` are its own, without those of others beside the streams.

    ``client_cpu_ns`` and ``clock_*`` are as in `results.records.LoadRecord`, ``machine_*``, of its own core
    and machine, as in `ServerRecord`. ``offset_ns`` is its CLOCK_MONOTONIC minus the harness's, off by at
    most ``offset_bound_ns``; both are 0 where it is one clock.
    ``clock_bend_ns`` is not stored, nor are the worker's ``name`` and its ``place``: the core that it shares
    with all others who have the same.
    """

    worker: int
    requests: int
    client_cpu_ns: int
    client_wall_ns: int
    clock_drift_ns: int | None
    clock_span_ns: int | None
    client_scheduling: str
    offset_ns: int | None
    offset_bound_ns: int | None
    machine_steal: float | None = None
    machine_throttled_ns: int | None = None
    clock_bend_ns: int | None = None
    name: str = ""
    place: str = ""


_COLUMNS = tuple(field.name for field in fields(Worker))[1:]
_UNSTORED = frozenset({"clock_bend_ns", "name", "place"})
_SHARE_COLUMNS = tuple(field.name for field in fields(WorkerShare) if field.name not in _UNSTORED)


def insert_workers(connection: sqlite3.Connection, workers: Sequence[Worker]) -> None:
    """A row for each who has none yet."""
    connection.executemany(
        f"INSERT OR IGNORE INTO worker (worker, {', '.join(_COLUMNS)}) VALUES (?{', ?' * len(_COLUMNS)})",  # noqa: S608
        [(worker.number, *(getattr(worker, name) for name in _COLUMNS)) for worker in workers],
    )


def read_workers(connection: sqlite3.Connection) -> list[Worker]:
    """All of a run, by number."""
    rows = connection.execute("SELECT * FROM worker ORDER BY worker")
    return [Worker(row["worker"], **{name: row[name] for name in _COLUMNS}) for row in rows]


def insert_shares(connection: sqlite3.Connection, position: int, shares: Sequence[WorkerShare]) -> None:
    """Those of the trial at this position."""
    columns, marks = ", ".join(_SHARE_COLUMNS), ", ".join("?" for _ in _SHARE_COLUMNS)
    connection.executemany(
        f"INSERT INTO trial_worker (position, {columns}) VALUES (?, {marks})",  # noqa: S608
        [(position, *(getattr(share, name) for name in _SHARE_COLUMNS)) for share in shares],
    )


def read_shares(connection: sqlite3.Connection) -> dict[int, list[WorkerShare]]:
    """Of each trial that was shared, by position."""
    found: dict[int, list[WorkerShare]] = {}
    for row in connection.execute("SELECT * FROM trial_worker ORDER BY position, worker"):
        share = WorkerShare(**{name: row[name] for name in _SHARE_COLUMNS})
        found.setdefault(row["position"], []).append(share)
    return found
