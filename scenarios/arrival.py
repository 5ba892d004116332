"""When bytes arrived: the kernel's stamp, turned into monotonic time, and how far it may be off."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Sequence
from time import clock_gettime_ns, monotonic_ns
from typing import NamedTuple

from results.records import MISSING

_LINUX = sys.platform == "linux"
#: SO_TIMESTAMPNS of asm-generic/socket.h; the stamp is a struct timespec of CLOCK_REALTIME.
_SO_TIMESTAMPNS = 35
_SOL_SOCKET = 1
_TIMESPEC = struct.Struct("@ll")
_CLOCK_REALTIME = 0
_ANCHOR_TRIES = 9
#: The descriptor of the socket that keeps the kernel stamping, once any has asked for it.
_keepers: list[int] = []

#: Room for the control message that carries a stamp (CMSG_SPACE of a timespec).
CONTROL_BYTES = 32 if _LINUX else 0


class Arrival(NamedTuple):
    """One read. ``at_ns`` (CLOCK_MONOTONIC) is when its last byte arrived.

    ``lag_ns`` is how much later it was read; ``error_ns`` bounds how much earlier its first byte may have
    arrived: the kernel merges segments that nobody has read and keeps the later stamp. Both are MISSING
    where the kernel gave no stamp.
    """

    at_ns: int
    lag_ns: int
    error_ns: int


class StampClock:
    """Turns the kernel's stamps (wall clock) into monotonic time, by an anchor between the two clocks."""

    def __init__(self) -> None:
        self.begun_ns = monotonic_ns()
        self._offset_ns = _offset_ns()
        self.stamped = False
        """Whether the kernel has given a stamp yet."""

    def arrival(self, control: Sequence[tuple[int, int, bytes]], empty_ns: int) -> Arrival:
        """The arrival that a read's control messages tell; the socket was last seen empty at ``empty_ns``."""
        now = monotonic_ns()
        at_ns = self._stamp_ns(control)
        if at_ns == MISSING:
            return Arrival(now, MISSING, MISSING)
        # By rounding of the anchor a stamp may seem to lie in the future.
        at_ns = min(at_ns, now)
        return Arrival(at_ns, now - at_ns, max(at_ns - empty_ns, 0))

    def instant(self, control: Sequence[tuple[int, int, bytes]]) -> int:
        """The same without lag and error: only when (CLOCK_MONOTONIC ns)."""
        at_ns = self._stamp_ns(control)
        return monotonic_ns() if at_ns == MISSING else at_ns

    def _stamp_ns(self, control: Sequence[tuple[int, int, bytes]]) -> int:
        for level, kind, data in control:
            if kind == _SO_TIMESTAMPNS and level == _SOL_SOCKET and len(data) == _TIMESPEC.size:
                self.stamped = True
                seconds, nanoseconds = _TIMESPEC.unpack(data)
                return int(seconds * 1_000_000_000 + nanoseconds - self._offset_ns)
        return MISSING

    def drift_ns(self) -> int:
        """By how much (ns) the wall clock has moved against the monotonic one since the anchor was taken."""
        return _offset_ns() - self._offset_ns


def ask_for_stamps(asked: socket.socket) -> None:
    """Have the kernel stamp what arrives on a socket, where it can (Linux), and go on with it to our end.

    It stamps while any socket asks for it. Switching that on for the first one is left to a worker of its own
    (net_enable_timestamp, net/core/dev.c), and what arrives before has no stamp: of clients that connect anew
    for each request, one at a time, some 3% had none. So one more socket asks, for as long as this process
    lives.
    """
    if not _LINUX:
        return
    if not _keepers:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as keeper:
            keeper.setsockopt(_SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            _keepers.append(keeper.detach())
    asked.setsockopt(_SOL_SOCKET, _SO_TIMESTAMPNS, 1)


def _offset_ns() -> int:
    """Wall clock - monotonic clock, ns: the reading that was interrupted least."""
    readings = []
    for _ in range(_ANCHOR_TRIES):
        before = monotonic_ns()
        wall = clock_gettime_ns(_CLOCK_REALTIME)
        after = monotonic_ns()
        readings.append((after - before, wall - (before + after) // 2))
    return min(readings)[1]
