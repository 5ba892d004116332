"""What a worker is told when it is started, and where its token is."""

from __future__ import annotations

from dataclasses import dataclass

TOKEN_VARIABLE = "STREAMGAUGE_TOKEN"  # noqa: S105  - its name


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the master is, and what this worker says of itself.

    ``core`` is the one that it is pinned to. ``reference_port`` is that of a reference server on this
    machine, against which its clock is calibrated; null where the run has one of its own. It gives up when it
    has heard nothing of the master for ``patience_s``.
    """

    master_host: str
    master_port: int
    name: str
    host: str
    system: str
    cpu: str
    core: int | None
    reference_port: int | None
    patience_s: float
