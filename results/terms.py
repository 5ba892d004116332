"""On what terms a run ends, and on what it fails."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stopping(StrEnum):
    """When a run has measured enough."""

    BLOCKS = "blocks"
    """After a number of blocks that was fixed before."""
    DECIDED = "decided"
    """At one of a few looks, when all that is judged is decided; at the last one at the latest."""
    BUDGET = "budget"
    """After as many blocks as fit into a time, by what the first block took."""


class FailOn(StrEnum):
    """What an ab fails on, when it is worse."""

    GATES = "gates"
    """The suite's gates that have a margin."""
    WORSE = "worse"
    """Besides these, each case in each headline figure but the p95, by the figures' own margins."""


@dataclass(frozen=True, slots=True)
class Terms:
    """``budget_s`` is the time (s) of a budget, null without one."""

    stopping: Stopping = Stopping.BLOCKS
    budget_s: float | None = None
    fail_on: FailOn = FailOn.GATES
