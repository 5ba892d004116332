"""What the queues of a shaped line dropped in a trial: the record, its row in the store, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class LineDrops:
    """Packets that found no room in the queue in front of the line, in each direction."""

    to_load: int
    to_server: int

    @property
    def packets(self) -> int:
        """In both directions."""
        return self.to_load + self.to_server

    def since(self, earlier: LineDrops) -> LineDrops:
        """Those of two counts that came after the earlier one."""
        return LineDrops(self.to_load - earlier.to_load, self.to_server - earlier.to_server)


def insert_drops(connection: sqlite3.Connection, position: int, drops: LineDrops | None) -> None:
    """Those of the trial at this position; null: its line had no queue, or it had no line."""
    if drops is not None:
        connection.execute(
            "INSERT INTO line_drop VALUES (?, ?, ?)", (position, drops.to_load, drops.to_server)
        )


def read_drops(connection: sqlite3.Connection) -> dict[int, LineDrops]:
    """Those of all trials whose line had queues, by position."""
    return {
        position: LineDrops(to_load, to_server)
        for position, to_load, to_server in connection.execute(
            "SELECT position, to_load, to_server FROM line_drop"
        )
    }
