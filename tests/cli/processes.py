"""Which processes a run has started, and whether any is left."""

from __future__ import annotations

import time
from collections.abc import Iterable

import psutil


def descendants(pid: int) -> list[psutil.Process]:
    """All that this process has started, directly or not."""
    return psutil.Process(pid).children(recursive=True)


def still_there(processes: Iterable[psutil.Process], *, patience_s: float = 10.0) -> list[str]:
    """The command lines of those that have not ended when patience is over."""
    deadline = time.monotonic() + patience_s
    left = list(processes)
    while left and time.monotonic() < deadline:
        left = [p for p in left if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
        time.sleep(0.02)
    return [" ".join(process.cmdline()) for process in left]
