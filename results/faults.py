"""Why a trial does not count, by name: a closed set, each with what helps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum


class Fault(StrEnum):
    """The worst of what was wrong with a trial; the members are in this order, the worst first."""

    KILLED_FOR_MEMORY = "killed-for-memory"
    SERVER_DIED = "server-died"
    PROXY_FAILED = "proxy-failed"
    WORKERS_CHANGED = "workers-changed"
    SERVER_DID_NOT_START = "server-did-not-start"
    SERVER_HUNG = "server-hung"
    TOO_SLOW = "too-slow"
    RESPONSES_FAILED = "responses-failed"
    WORKER_LOST = "worker-lost"
    DRIVER_DIED = "driver-died"
    DRIVER_HUNG = "driver-hung"
    RECORDS_LOST = "records-lost"
    MACHINE_DISTURBED = "machine-disturbed"
    LOAD_BEHIND = "load-behind"
    NOT_MEASURED = "not-measured"

    @property
    def hint(self) -> str:
        """What helps, in one sentence."""
        return _HINTS[self]

    @property
    def is_repeated(self) -> bool:
        """Whether such a trial is measured once more: that records are missing says nothing of the server."""
        return self in {Fault.WORKER_LOST, Fault.RECORDS_LOST}

    @property
    def of_the_load_side(self) -> bool:
        """Whether a trial that nothing came of says nothing of the server: the load driver failed."""
        return self in {Fault.WORKER_LOST, Fault.DRIVER_DIED, Fault.DRIVER_HUNG, Fault.RECORDS_LOST}


_HINTS = {
    Fault.KILLED_FOR_MEMORY: "Give the server more memory, or ask with fewer users; its peak is the finding.",
    Fault.SERVER_DIED: "Its last words say why; the same load by hand shows it outside of a run.",
    Fault.PROXY_FAILED: "Its own output says why; without the [[proxy]] it shows whether it is the cause.",
    Fault.WORKERS_CHANGED: (
        "Let workers live as long as a trial: leave out --max-requests and reloaders, give slow responses a "
        "longer worker timeout; a worker that crashes says why in the server's output."
    ),
    Fault.SERVER_DID_NOT_START: "Start it by hand as the suite does; its own output says what it lacks.",
    Fault.SERVER_HUNG: "Nothing came within the target's timeout: look for a lock, or give it more workers.",
    Fault.TOO_SLOW: "Make the window, or the target's timeout, several times as long as a response.",
    Fault.RESPONSES_FAILED: "Its last words may say why; the same load by hand shows it outside of a run.",
    Fault.WORKER_LOST: "Look at the connection to its machine; such a trial is measured three times at most.",
    Fault.DRIVER_DIED: "If nobody ended it, look for an out-of-memory kill; a new one was started.",
    Fault.DRIVER_HUNG: "It was ended and a new one started; on a machine that is not overloaded, report it.",
    Fault.RECORDS_LOST: "With workers elsewhere, look at the connection; else report it, with the run.",
    Fault.MACHINE_DISTURBED: "Measure where nobody else computes, no cgroup holds back and no clock steps.",
    Fault.LOAD_BEHIND: "Ask with fewer users, at a smaller rate, or for responses in larger chunks.",
    Fault.NOT_MEASURED: "The reason says what was missing.",
}


def counted(faults: Iterable[Fault | None]) -> Mapping[Fault, int]:
    """How many trials each cost, the worst first; null is a trial that is valid."""
    counts = Counter(faults)
    return {fault: counts[fault] for fault in Fault if counts[fault]}
