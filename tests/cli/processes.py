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
        left = [process for process in left if _runs(process)]
        time.sleep(0.02)
    return [command_of(process) for process in left]


def command_of(process: psutil.Process) -> str:
    """Its command line; empty where it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it ended between the two questions
        return False
