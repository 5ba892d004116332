"""Who runs first on a core: the load driver before the work of others, our samplers before the driver."""

from __future__ import annotations

import os

#: The driver must not read late by time slices of others; what samples takes microseconds, now and then.
DRIVER, SAMPLER = 1, 2
ORDINARY = "SCHED_OTHER"


def first_in_line(pid: int, priority: int) -> str:
    """Have a process (0: this thread) run before all ordinary work, where the system allows it; its policy.

    The kernel leaves the others 5% of the core (sched(7), "Limiting the CPU usage of real-time and deadline
    processes").
    """
    if not hasattr(os, "sched_setscheduler"):
        return ORDINARY
    try:
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(priority))
    except PermissionError:
        return ORDINARY
    return "SCHED_FIFO"
