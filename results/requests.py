"""How raw requests become rows of the store, and rows arrays again."""

from __future__ import annotations

import sqlite3
from typing import Literal

from results.records import MISSING, REQUEST_FIELDS, Outcome, RequestArray

#: The streams' requests, and those of others beside them.
RequestTable = Literal["request", "other_request"]

_OUTCOME_COLUMN = REQUEST_FIELDS.index("outcome")
_AT_ONCE = 10_000
_OUTCOME_LABELS = {int(outcome): outcome.label for outcome in Outcome}


def insert_requests(
    connection: sqlite3.Connection, table: RequestTable, position: int, requests: RequestArray
) -> None:
    """A row for each request of one trial."""
    marks = ", ".join("?" for _ in range(len(REQUEST_FIELDS) + 1))
    for begin in range(0, len(requests), _AT_ONCE):  # as Python's numbers they take ten times the room
        connection.executemany(
            f"INSERT INTO {table} VALUES ({marks})",  # noqa: S608
            (_row(position, record) for record in requests[begin : begin + _AT_ONCE].tolist()),
        )


def _row(position: int, record: list[int]) -> tuple[int | str | None, ...]:
    values: list[int | str | None] = [None if value == MISSING else value for value in record]
    values[_OUTCOME_COLUMN] = _OUTCOME_LABELS[record[_OUTCOME_COLUMN]]
    return (position, *values)


def read_requests(connection: sqlite3.Connection, table: RequestTable, position: int) -> RequestArray:
    """The requests of one trial, shape (requests, fields of REQUEST_FIELDS), int64."""
    import numpy as np  # noqa: PLC0415  - heavy, and few readers want raw requests

    columns = ", ".join(
        f"coalesce({name}, {MISSING})" if name != "outcome" else name for name in REQUEST_FIELDS
    )
    numbers = {label: number for number, label in _OUTCOME_LABELS.items()}
    rows = connection.execute(
        f"SELECT {columns} FROM {table} WHERE position = ? ORDER BY rowid",  # noqa: S608
        (position,),
    )
    parts = []
    while some := rows.fetchmany(_AT_ONCE):
        array = [(*row[:_OUTCOME_COLUMN], numbers[row[_OUTCOME_COLUMN]]) for row in some]
        parts.append(np.array(array, dtype=np.int64))
    return np.concatenate(parts) if parts else np.empty((0, len(REQUEST_FIELDS)), dtype=np.int64)
