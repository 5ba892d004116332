"""Several load processes that share each trial: how many, where they are gathered, and who starts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.programs.ports import HOST
from results.workers import Worker

#: Locust's own port for masters (docs.locust.io, "Distributed load generation").
PORT = 5557
#: One that is cut off is waited for so long (s) before a trial goes on without it, or the run ends.
PATIENCE_S = 60.0
#: Whoever starts workers on other machines has so long (s).
MUSTER_S = 600.0
#: Our own are there as soon as Locust is imported.
_OWN_MUSTER_S = 60.0


@dataclass(frozen=True, slots=True)
class Crew:
    """``expected`` load processes share each trial, ``enough`` at least.

    Those who have the ``token`` may join on ``host`` and ``port`` (0: any that is free), where a lost one is
    waited for ``patience_s``. ``processes``: so many are started by us, on this machine; 0 where all of them
    come from elsewhere. ``token_is_new``: nobody has it yet. They are numbered from ``first_number`` on.
    """

    expected: int
    enough: int
    host: str
    port: int
    token: str
    processes: int = 0
    token_is_new: bool = True
    patience_s: float = PATIENCE_S
    muster_s: float = MUSTER_S
    first_number: int = 0

    def call(self, port: int, first_number: int) -> dict[str, Any]:
        """What a driver is told that is to gather them, on this port."""
        return {
            "host": self.host,
            "port": port,
            "token": self.token,
            "expected": self.expected,
            "enough": self.enough,
            "patience_s": self.patience_s,
            "first_number": first_number,
        }

    def incomplete(self, workers: Sequence[Worker], refusals: Sequence[str]) -> str:
        """What is to be said when only these have joined in time, and others were not let in."""
        there = ", ".join(worker.name for worker in workers) or "nobody"
        what = (
            f"{len(workers)} of {self.expected} workers joined within {self.muster_s:g} s ({there}); start "
            "`streamgauge worker` on each load machine, with the run's token, and see that it can reach this "
            "one"
        )
        return "\n".join([what, *(f"not taken: {refusal}" for refusal in refusals)])

    @property
    def is_elsewhere(self) -> bool:
        """Whether the workers are on other machines."""
        return not self.processes


def asked_at(crew: Crew | None) -> str:
    """The address of this machine at which the load asks what is served here."""
    return crew.host if crew is not None and crew.is_elsewhere else HOST


def own_crew(processes: int, token: str) -> Crew:
    """So many load processes on this machine."""
    return Crew(
        processes, processes, HOST, 0, token, processes, patience_s=_OWN_MUSTER_S, muster_s=_OWN_MUSTER_S
    )
