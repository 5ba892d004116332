"""The memory floors of a soak: the record of one part of its window, its rows in the store, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class MemoryFloor:
    """The least memory that a server tree had in one of the equal parts of a window.

    ``middle_ns`` (CLOCK_MONOTONIC) is the part's middle, ``responses`` how many had been verified by then
    since the window opened. ``floor_bytes`` is the sum of each process's least sampled RSS in the part.
    """

    part: int
    middle_ns: int
    responses: int
    floor_bytes: int


def insert_floors(connection: sqlite3.Connection, position: int, floors: Sequence[MemoryFloor]) -> None:
    """The floors of the trial at this position."""
    connection.executemany(
        "INSERT INTO memory_floor VALUES (?, ?, ?, ?, ?)",
        [(position, item.part, item.middle_ns, item.responses, item.floor_bytes) for item in floors],
    )


def read_floors(connection: sqlite3.Connection) -> dict[int, list[MemoryFloor]]:
    """The floors of all trials that have some, by position, each in the order of time."""
    found: dict[int, list[MemoryFloor]] = {}
    for position, *values in connection.execute("SELECT * FROM memory_floor ORDER BY position, part"):
        found.setdefault(position, []).append(MemoryFloor(*values))
    return found
