"""The small requests beside the streams in the store: of each trial, and counted over a run."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from results.records import OthersRecord
from results.requests import insert_requests, read_requests

_COUNTS = """
    SELECT position, outcome, count(*) AS n FROM other_request JOIN trial USING (position)
    WHERE intended_ns >= window_open_ns AND intended_ns < window_close_ns
    GROUP BY position, outcome
"""


@dataclass(frozen=True, slots=True)
class OthersSummary:
    """Of one trial: how those that were wanted inside the window ended, and texts of all that failed."""

    outcomes: Mapping[str, int]
    errors: Mapping[str, int]


def insert_others(connection: sqlite3.Connection, position: int, others: OthersRecord) -> None:
    """Those of one trial."""
    connection.execute(
        "INSERT INTO others VALUES (?, ?, ?, ?, ?)",
        (
            position,
            others.begin_ns,
            others.streams_begin_ns,
            others.patience_ns,
            json.dumps(dict(others.errors)),
        ),
    )
    insert_requests(connection, "other_request", position, others.requests)


def read_others(connection: sqlite3.Connection, position: int) -> OthersRecord | None:
    """Those of one trial; None where nobody asked."""
    row = connection.execute("SELECT * FROM others WHERE position = ?", (position,)).fetchone()
    if row is None:
        return None
    return OthersRecord(
        begin_ns=row["begin_ns"],
        streams_begin_ns=row["streams_begin_ns"],
        patience_ns=row["patience_ns"],
        requests=read_requests(connection, "other_request", position),
        errors=json.loads(row["errors"]),
    )


def read_summaries(connection: sqlite3.Connection) -> Mapping[int, OthersSummary]:
    """By position, of the trials that have others."""
    outcomes: dict[int, dict[str, int]] = {}
    for item in connection.execute(_COUNTS):
        outcomes.setdefault(item["position"], {})[item["outcome"]] = item["n"]
    return {
        item["position"]: OthersSummary(outcomes.get(item["position"], {}), json.loads(item["errors"]))
        for item in connection.execute("SELECT position, errors FROM others")
    }
