"""An ab: its two sides, the margins that it is gated by, and what prepared an app."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from results.case import Case
from results.metrics import FIGURES, Figure, Margin


class Side(StrEnum):
    """Which revision of the app: head is the one that is judged, against base."""

    BASE = "base"
    HEAD = "head"


@dataclass(frozen=True, slots=True)
class SideRecord:
    """One side: ``revision`` as it was asked for, and the commit of ``repository`` (a path) that it named."""

    side: Side
    revision: str
    commit: str
    repository: str


@dataclass(frozen=True, slots=True)
class Preparation:
    """A suite's ``prepare``, run once in a target's directory; ``output`` is the end of what it wrote.

    ``side`` is null in a run, whose directories are the user's own.
    """

    side: Side | None
    directory: str
    command: Sequence[str]
    output: str


@dataclass(frozen=True, slots=True)
class MarginGate:
    """Head of a case no worse than base by more than a margin, in one figure. ``name`` is for messages."""

    name: str
    case: Case
    metric: str
    margin: Margin

    @property
    def figure(self) -> Figure:
        """The figure that is gated."""
        return FIGURES[self.metric]


def insert_sides(connection: sqlite3.Connection, sides: Iterable[SideRecord]) -> None:
    """A row for each side."""
    connection.executemany(
        "INSERT INTO side VALUES (?, ?, ?, ?)",
        [(item.side, item.revision, item.commit, item.repository) for item in sides],
    )


def read_sides(connection: sqlite3.Connection) -> tuple[SideRecord, ...]:
    """Base and head; empty in a run."""
    rows = connection.execute("SELECT * FROM side ORDER BY side")
    return tuple(
        SideRecord(Side(row["side"]), row["revision"], row["commit"], row["repository"]) for row in rows
    )


def insert_gates(connection: sqlite3.Connection, gates: Iterable[MarginGate]) -> None:
    """A row for each gate."""
    connection.executemany(
        "INSERT INTO margin_gate VALUES (?, ?, ?, ?, ?)",
        [
            (gate.name, gate.case.identity, gate.metric, gate.margin.share, gate.margin.least)
            for gate in gates
        ],
    )


def read_gates(connection: sqlite3.Connection, cases: Iterable[Case]) -> tuple[MarginGate, ...]:
    """The gates in the suite's order, on these cases."""
    by_identity = {case.identity: case for case in cases}
    return tuple(
        MarginGate(row["name"], by_identity[row["case"]], row["metric"], Margin(row["share"], row["least"]))
        for row in connection.execute("SELECT * FROM margin_gate ORDER BY rowid")
    )


def insert_preparation(connection: sqlite3.Connection, preparation: Preparation) -> None:
    """What a preparation wrote."""
    connection.execute(
        "INSERT INTO preparation VALUES (?, ?, ?, ?)",
        (
            preparation.side,
            preparation.directory,
            json.dumps(list(preparation.command)),
            preparation.output,
        ),
    )


def read_preparations(connection: sqlite3.Connection) -> list[Preparation]:
    """All of them in the order in which they were run; each resumption of an ab prepares anew."""
    rows = connection.execute("SELECT * FROM preparation ORDER BY rowid")
    return [
        Preparation(
            Side(row["side"]) if row["side"] is not None else None,
            row["directory"],
            json.loads(row["command"]),
            row["output"],
        )
        for row in rows
    ]
