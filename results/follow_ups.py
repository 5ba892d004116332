"""The small request after each hang-up: whether the server goes on, and how soon.

An array of shape (hang-ups, fields of FIELDS), int64, CLOCK_MONOTONIC ns: when the client left, and when the
small request that it sent then had been answered, MISSING where it was not; and the load process that it was.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from results.records import MISSING, FollowUpArray

if TYPE_CHECKING:
    import sqlite3

FIELDS: Final = ("left_ns", "answered_ns", "worker")
STRUCT: Final = struct.Struct(f"<{len(FIELDS)}q")


@dataclass(frozen=True, slots=True)
class FollowUps:
    """How many clients of a trial hung up within its window, and how many of those that asked then waited
    in vain.
    """

    hang_ups: int
    unanswered: int


def unpack_follow_ups(packed: bytes | memoryview) -> FollowUpArray:
    """Packed records as an array, in the order of the hang-ups' follow-ups."""
    import numpy as np  # noqa: PLC0415  - the driver packs only, and stays small without NumPy

    return np.frombuffer(packed, dtype="<i8").reshape(-1, len(FIELDS))


def insert_follow_ups(connection: sqlite3.Connection, position: int, follow_ups: FollowUpArray) -> None:
    """Those of the trial at this position."""
    connection.executemany(
        "INSERT INTO follow_up VALUES (?, ?, nullif(?, ?), ?)",
        (
            (position, left_ns, answered_ns, MISSING, worker)
            for left_ns, answered_ns, worker in follow_ups.tolist()
        ),
    )


def read_summaries(connection: sqlite3.Connection) -> dict[int, FollowUps]:
    """Of each trial that has some, by position."""
    rows = connection.execute(
        "SELECT position, count(*), sum(answered_ns IS NULL) FROM follow_up JOIN trial USING (position) "
        "WHERE left_ns >= window_open_ns AND left_ns < window_close_ns GROUP BY position"
    )
    return {position: FollowUps(count, unanswered) for position, count, unanswered in rows}
