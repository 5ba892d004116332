"""The records of traced trials: what the app handed over and what arrived, and how they are stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from results.mapping import insert
from results.records import MISSING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

#: Shape (points, columns), int64; which columns, the field says that holds one.
PointArray: TypeAlias = "npt.NDArray[np.int64]"


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """What the ledger inside the server says of one request (instants CLOCK_MONOTONIC ns, null: none).

    ``ended_ns`` is when the app's iteration ended, ``closed_ns`` when the server called close(), ``ending``
    one of exhausted, raised, abandoned. The two marks are null where another request was in flight, and where
    the kernel keeps none; ``own_bytes`` is what the ledger itself took between them. ``yields`` has the
    shape (yields, 2): instant, size.
    """

    pid: int
    remote_port: int | None
    path: str
    began_ns: int
    ended_ns: int | None
    closed_ns: int | None
    ending: str
    sendfile_lost: bool
    rss_at_begin_bytes: int | None
    hwm_bytes: int | None
    own_bytes: int
    yields: PointArray


@dataclass(frozen=True, slots=True)
class TracedRequest:
    """One request of a traced trial, seen from both sides; number 0 is the warm-up.

    ``memory_growth_bytes`` is exact, ``peak_missed_bytes`` the part of it that sampling did not see; both are
    null where the process was not alone with this request.
    """

    number: int
    sent_ns: int
    first_body_ns: int | None
    first_row_ns: int | None
    last_ns: int
    body_bytes: int
    reads: int
    pid: int
    began_ns: int
    ended_ns: int | None
    closed_ns: int | None
    ending: str
    yields: int
    yielded_bytes: int
    memory_growth_bytes: int | None
    peak_missed_bytes: int | None


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The yields (points, 3) and the reads (points, 4) of one request.

    Columns: number in the request, ns since ``sent``, bytes so far; of a read also by how much (ns) its bytes
    may have arrived earlier (MISSING: nobody knows). Of more points than are kept, each n-th is, with the
    first and the last.
    """

    request: int
    yields: PointArray
    reads: PointArray


@dataclass(frozen=True, slots=True)
class Trace:
    """One case's traced trial. ``reason`` says why it failed, ``note`` what its figures cannot show.

    ``figures`` are by the names of TRACED_FIGURES, null where the trial cannot give one. ``waterfall`` is of
    the request with the median ttlb; null in a failed trial, and where many traces are read at once.
    """

    case: str
    started_utc: str
    reason: str | None
    note: str | None = None
    requests: Sequence[TracedRequest] = field(default_factory=list)
    figures: Mapping[str, float | None] = field(default_factory=dict)
    waterfall: Waterfall | None = None


@dataclass(frozen=True, slots=True)
class TracedFigure:
    """A number of one traced trial: its definition's id (docs/metrics.md) and its unit (1: a share)."""

    definition: str
    unit: str


TRACED_FIGURES: Final[Mapping[str, TracedFigure]] = MappingProxyType(
    {
        "yields": TracedFigure("yields.app.v1", "1"),
        "chunk": TracedFigure("chunk.yield.v1", "B"),
        "delivery_lag_p50": TracedFigure("delivery_lag.yield.v1", "ns"),
        "delivery_lag_p95": TracedFigure("delivery_lag.yield.v1", "ns"),
        "delivery_lag_max": TracedFigure("delivery_lag.yield.v1", "ns"),
        "delivery_lag_error_p95": TracedFigure("delivery_lag_error.stamp.v1", "ns"),
        "held": TracedFigure("held.share.v2", "1"),
        "held_at_most": TracedFigure("held_at_most.share.v2", "1"),
        "held_to_end": TracedFigure("held_to_end.share.v2", "1"),
        "first_row_share": TracedFigure("first_row_share.row.v1", "1"),
        "close_lag": TracedFigure("close_lag.close.v1", "ns"),
        "hung_up": TracedFigure("hung_up.trace.v1", "1"),
        "not_closed": TracedFigure("not_closed.hang_up.v1", "1"),
        "yields_after": TracedFigure("yields_after.hang_up.v1", "1"),
        "ended_before": TracedFigure("ended_before.hang_up.v1", "1"),
        "memory_growth_p50": TracedFigure("memory_growth.request.v1", "B"),
        "memory_growth_max": TracedFigure("memory_growth.request.v1", "B"),
        "request_peak_missed": TracedFigure("request_peak_missed.sampling.v1", "B"),
        "traced_ttfb_p50": TracedFigure("ttfb.body.v1", "ns"),
        "traced_ttlb_p50": TracedFigure("ttlb.complete.v1", "ns"),
    }
)


_YIELDS = "SELECT number, after_ns, bytes FROM traced_yield WHERE trace = ? ORDER BY number"
_READS = """
    SELECT number, after_ns, bytes, coalesce(error_ns, ?) FROM traced_read WHERE trace = ? ORDER BY number
"""


def insert_trace(connection: sqlite3.Connection, trace: Trace) -> None:
    """One traced trial, whole."""
    number = connection.execute("SELECT count(*) FROM trace").fetchone()[0]
    fall = trace.waterfall
    insert(
        connection,
        "trace",
        {
            "trace": number,
            "case": trace.case,
            "started_utc": trace.started_utc,
            "reason": trace.reason,
            "note": trace.note,
            "waterfall": fall.request if fall else None,
            "yields_kept": len(fall.yields) if fall else None,
            "reads_kept": len(fall.reads) if fall else None,
        },
    )
    for request in trace.requests:
        values = {name: getattr(request, name) for name in TracedRequest.__slots__}
        insert(connection, "traced_request", {"trace": number, **values})
    connection.executemany(
        "INSERT INTO traced_figure VALUES (?, ?, ?, ?, ?)",
        [
            (number, name, TRACED_FIGURES[name].definition, TRACED_FIGURES[name].unit, value)
            for name, value in trace.figures.items()
        ],
    )
    if fall is not None:
        connection.executemany(
            "INSERT INTO traced_yield VALUES (?, ?, ?, ?)",
            ((number, *point) for point in fall.yields.tolist()),
        )
        connection.executemany(
            "INSERT INTO traced_read VALUES (?, ?, ?, ?, nullif(?, ?))",
            ((number, *point, MISSING) for point in fall.reads.tolist()),
        )


def read_traces(connection: sqlite3.Connection) -> list[Trace]:
    """All traced trials in the order of their measurement, without their waterfalls."""
    return [_trace(connection, row) for row in connection.execute("SELECT * FROM trace ORDER BY trace")]


def read_trace(connection: sqlite3.Connection, case: str) -> Trace | None:
    """One case's traced trial with its waterfall; None where there is none."""
    row = connection.execute('SELECT * FROM trace WHERE "case" = ?', (case,)).fetchone()
    if row is None:
        return None
    fall = None
    if row["waterfall"] is not None:
        yields = connection.execute(_YIELDS, (row["trace"],)).fetchall()
        reads = connection.execute(_READS, (MISSING, row["trace"])).fetchall()
        fall = Waterfall(row["waterfall"], _points(yields, 3), _points(reads, 4))
    return _trace(connection, row, fall)


def _trace(connection: sqlite3.Connection, row: sqlite3.Row, fall: Waterfall | None = None) -> Trace:
    requests = connection.execute(
        "SELECT * FROM traced_request WHERE trace = ? ORDER BY number", (row["trace"],)
    )
    figures = connection.execute("SELECT name, value FROM traced_figure WHERE trace = ?", (row["trace"],))
    return Trace(
        case=row["case"],
        started_utc=row["started_utc"],
        reason=row["reason"],
        note=row["note"],
        requests=[TracedRequest(**_fields(item)) for item in requests],
        figures={item["name"]: item["value"] for item in figures},
        waterfall=fall,
    )


def _fields(row: sqlite3.Row) -> dict[str, Any]:
    return {name: row[name] for name in TracedRequest.__slots__}


def _points(rows: Sequence[sqlite3.Row], columns: int) -> PointArray:
    import numpy as np  # noqa: PLC0415  - heavy, and few readers want raw points

    return np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, columns)
