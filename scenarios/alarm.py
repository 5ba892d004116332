"""An alarm of the event loop that rings at an instant of CLOCK_MONOTONIC."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable
from time import monotonic_ns
from typing import Protocol

import gevent

_READ = 1
_EXPIRATIONS_BYTES = 8
#: TFD_TIMER_ABSTIME of sys/timerfd.h; TFD_NONBLOCK and TFD_CLOEXEC are O_NONBLOCK and O_CLOEXEC.
_ABSOLUTE = 1


class Alarm(Protocol):
    """Calls back in the loop itself, once for each `set`, which must not block."""

    def set(self, at_ns: int) -> None:
        """Ring at this instant; at once when it has passed."""

    def close(self) -> None:
        """Never ring again."""


def new_alarm(ring: Callable[[], None]) -> Alarm:
    """The most exact alarm that this system has."""
    return KernelAlarm(ring) if sys.platform == "linux" else LoopAlarm(ring)


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class KernelAlarm:
    """A timer descriptor (Linux: timerfd_create(2)), which rings late by the scheduler's delay alone.

    The loop's own timers are timeouts of epoll_wait(2), which counts in milliseconds.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._library = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._library.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            _raise_errno()
        loop = gevent.get_hub().loop
        # Before all sockets, and after the clock that stamps the poll.
        self._watcher = loop.io(self._descriptor, _READ, priority=loop.MAXPRI - 1)
        self._watcher.start(self._expired)

    def set(self, at_ns: int) -> None:
        """Ring at this instant; at once when it has passed."""
        when = _Itimerspec(_Timespec(0, 0), _Timespec(*divmod(at_ns, 1_000_000_000)))
        if self._library.timerfd_settime(self._descriptor, _ABSOLUTE, ctypes.byref(when), None):
            _raise_errno()

    def close(self) -> None:
        """Never ring again."""
        self._watcher.stop()
        self._watcher.close()
        os.close(self._descriptor)

    def _expired(self) -> None:
        os.read(self._descriptor, _EXPIRATIONS_BYTES)
        self._ring()


class LoopAlarm:
    """The event loop's own timer, for systems without timer descriptors (macOS)."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._at_ns = 0
        self._timer = gevent.get_hub().loop.timer(0)

    def set(self, at_ns: int) -> None:
        """Ring at this instant; at once when it has passed."""
        self._at_ns = at_ns
        self._timer.close()
        self._timer = gevent.get_hub().loop.timer(max(at_ns - monotonic_ns(), 0) / 1e9)
        self._timer.start(self._expired, update=True)

    def close(self) -> None:
        """Never ring again."""
        self._timer.stop()
        self._timer.close()

    def _expired(self) -> None:
        if monotonic_ns() < self._at_ns:  # the loop rounds
            self.set(self._at_ns)
        else:
            self._ring()


def _raise_errno() -> None:
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code))
