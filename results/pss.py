"""PSS of a server tree: the record of one reading, its rows in the store, and records again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class PssSample:
    """The sum of PSS (proportional set size) over a server tree, read once.

    The reading began at ``at_ns`` (CLOCK_MONOTONIC) and took ``took_ns``: what it cost.
    """

    at_ns: int
    took_ns: int
    pss_bytes: int


def insert_pss(connection: sqlite3.Connection, position: int, samples: Sequence[PssSample]) -> None:
    """The readings of the trial at this position."""
    connection.executemany(
        "INSERT INTO pss_sample VALUES (?, ?, ?, ?)",
        [(position, item.at_ns, item.took_ns, item.pss_bytes) for item in samples],
    )


def read_pss(connection: sqlite3.Connection, position: int) -> list[PssSample]:
    """The readings of the trial at this position, by time."""
    rows = connection.execute(
        "SELECT at_ns, took_ns, pss_bytes FROM pss_sample WHERE position = ? ORDER BY at_ns", (position,)
    )
    return [PssSample(*row) for row in rows]
