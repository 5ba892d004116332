"""Raw records of a store for pictures: read in pieces, never all requests of a run at once."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, TypeAlias

from results.records import AS_PLANNED, ProcessMemory

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Nanoseconds: TypeAlias = "npt.NDArray[np.int64]"

_PLANNED = ", ".join(f"'{outcome.label}'" for outcome in sorted(AS_PLANNED))
_FIRST_BYTES = f"""
    SELECT first_body_ns - sent_ns FROM request JOIN trial USING (position)
    WHERE position = ? AND outcome IN ({_PLANNED}) AND first_body_ns IS NOT NULL
      AND coalesce(intended_ns, sent_ns) >= window_open_ns
      AND coalesce(intended_ns, sent_ns) < window_close_ns
"""  # noqa: S608


def read_first_bytes(connection: sqlite3.Connection, position: int) -> Nanoseconds:
    """The TTFB (ns) of each request that the figures of this trial rest on."""
    import numpy as np  # noqa: PLC0415  - heavy, and few readers want raw requests

    cursor = connection.cursor()
    cursor.row_factory = None
    return np.fromiter((row[0] for row in cursor.execute(_FIRST_BYTES, (position,))), np.int64)


def read_processes(connection: sqlite3.Connection, position: int) -> list[ProcessMemory]:
    """What the kernel said of each process of this trial's server."""
    names = tuple(ProcessMemory.__slots__)
    rows = connection.execute(
        f"SELECT {', '.join(names)} FROM process WHERE position = ? ORDER BY pid",  # noqa: S608
        (position,),
    )
    return [ProcessMemory(*row) for row in rows]


def read_server_output(connection: sqlite3.Connection, position: int) -> str:
    """The last that this trial's server printed."""
    row = connection.execute("SELECT server_output FROM trial WHERE position = ?", (position,)).fetchone()
    return str(row[0]) if row else ""
