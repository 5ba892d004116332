"""Waiting for an instant of CLOCK_MONOTONIC, to the microsecond."""

from __future__ import annotations

import time

# A sleep ends late by the kernel's timer slack and the scheduler's mood.
# This much of the wait is spun instead.
_SPIN_NS = 50_000


def nanoseconds(seconds: float) -> int:
    """Whole nanoseconds, rounded to the nearest."""
    return round(seconds * 1_000_000_000)


def wait_until(deadline_ns: int) -> None:
    """Return at `deadline_ns` of `time.monotonic_ns`, never before it."""
    while (left_ns := deadline_ns - time.monotonic_ns()) > 0:
        # The spin sleeps for 0 s, which gives up the GIL: with 100 connections waiting, a
        # plain loop would keep the others from their own deadlines.
        time.sleep(max(0, left_ns - _SPIN_NS) / 1e9)
