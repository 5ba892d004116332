"""The client's own error: what it is measured against, how it is kept, and its rows in the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Instants: TypeAlias = "npt.NDArray[np.int64]"


class Answers(StrEnum):
    """How the reference server answers: the kernel merges stamps only where it keeps on sending."""

    ONCE = "once"
    ON = "on"


@dataclass(frozen=True, slots=True)
class ServerTruth:
    """What the reference server knows of each request, in arrays of the same length.

    ``connection`` is the client's TCP port and ``turn`` the request's number on it, from 0. Instants are
    CLOCK_MONOTONIC ns: the request was read; just before and just after the send that carried the first
    body byte; just after the last send.
    """

    connection: Instants
    turn: Instants
    received_ns: Instants
    first_before_ns: Instants
    first_after_ns: Instants
    last_after_ns: Instants


def unpack_truth(packed: bytes) -> ServerTruth:
    """What a reference server sent: rows of int64, in the order of `ServerTruth`'s fields."""
    import numpy as np  # noqa: PLC0415  - the driver reads this module, and stays small without NumPy

    names = [field.name for field in fields(ServerTruth)]
    columns = np.frombuffer(packed, dtype=np.int64).reshape(-1, len(names)).T
    return ServerTruth(**dict(zip(names, columns, strict=True)))


@dataclass(frozen=True, slots=True)
class CalibrationPoint:
    """The client's error of TTFB with so many users: quantiles of abs(stamp - truth) over the requests, ns.

    ``stamped``: by the kernel. ``loop_error_*`` is what the event loop's own clock would have been off by.
    ``lag_p99_ns`` is of `client_lag_ns`, ``stamp_error_p99_ns`` of the bound that each request keeps; both
    null without kernel stamps. ``client_cpu`` is the share (0 to 1) of its core that the driver used. Of
    several load processes each ``worker`` has points of its own.
    """

    users: int
    answers: Answers
    requests: int
    stamped: bool
    error_p50_ns: float
    error_p95_ns: float
    error_p99_ns: float
    error_max_ns: float
    loop_error_p50_ns: float
    loop_error_p95_ns: float
    lag_p99_ns: float | None
    stamp_error_p99_ns: float | None
    client_cpu: float
    worker: int = 0


_COLUMNS = tuple(field.name for field in fields(CalibrationPoint))


def insert_calibration(connection: sqlite3.Connection, points: Sequence[CalibrationPoint]) -> None:
    """A row for each point."""
    connection.executemany(
        f"INSERT INTO calibration ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' for _ in _COLUMNS)})",  # noqa: S608
        [[getattr(point, name) for name in _COLUMNS] for point in points],
    )


def read_calibration(connection: sqlite3.Connection) -> list[CalibrationPoint]:
    """The points by worker and users; empty where a run was not calibrated yet."""
    rows = connection.execute("SELECT * FROM calibration ORDER BY worker, users, answers DESC")
    return [
        CalibrationPoint(
            **{name: row[name] for name in _COLUMNS}
            | {"answers": Answers(row["answers"]), "stamped": bool(row["stamped"])}
        )
        for row in rows
    ]
