"""When the event loop last saw its sockets empty: the bound of an arrival stamp's error."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from time import monotonic_ns

import gevent

#: Linux: time on the CPU, time spent waiting for one (ns), and slices of this thread.
_SCHEDSTAT = Path("/proc/thread-self/schedstat")
#: A poll that took less is not asked whether it slept, which costs 2 us: the bound stays true, and is wider.
_SHORT_NS = 20_000
_THREAD = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)


class PollClock:
    """Stamps the polls of this thread's event loop while somebody waits for a first byte.

    The kernel merges segments that nobody has read yet and keeps the later stamp, so that a stamp may be
    later than the first byte by at most the time since the socket was last seen empty (`empty_ns`). A poll
    that slept saw all sockets empty until it was woken up. One that did not sleep says nothing of when the
    sockets that it reports became readable; but the poll before it had not reported them.

    Whether it slept is told by the thread's voluntary context switches (getrusage(2)): time alone would
    take a preempted poll for a sleeping one. Between being woken and running, it may have waited for a
    processor; the kernel counts that time (Documentation/scheduler/sched-stats.rst).
    """

    def __init__(self) -> None:
        loop = gevent.get_hub().loop
        self._schedstat = os.open(_SCHEDSTAT, os.O_RDONLY) if _SCHEDSTAT.exists() else None
        self._watchers = 0
        self._stale = True
        self._began_ns = self._looked_ns = self._empty_ns = 0
        self._sleeps = self._waited_ns = 0
        # The last to run before a poll, and the first after it.
        self._before = loop.prepare(ref=False, priority=loop.MINPRI)
        self._after = loop.check(ref=False, priority=loop.MAXPRI)

    def watch(self) -> None:
        """Somebody waits for a first byte: polls are looked at until it says `unwatch`."""
        if not self._watchers:
            # Polls before this one were not seen; where one is about to begin, `_end` comes before `_begin`.
            self._stale = True
            self._began_ns = self._looked_ns = self._empty_ns = 0
            self._before.start(self._begin)
            self._after.start(self._end)
        self._watchers += 1

    def unwatch(self) -> None:
        """That somebody has its byte."""
        self._watchers -= 1
        if not self._watchers:
            self._before.stop()
            self._after.stop()

    def empty_ns(self) -> int:
        """Sockets that the last poll reported were empty at this instant (CLOCK_MONOTONIC ns); 0: unknown."""
        return self._empty_ns

    def _begin(self) -> None:
        self._began_ns = monotonic_ns()
        self._sleeps = resource.getrusage(_THREAD).ru_nvcsw
        if self._stale:
            self._stale = False
            self._waited_ns = self._wait_ns()

    def _end(self) -> None:
        woken_ns = self._woken_ns()
        # When the poll before this one looked at the sockets, those that only this one reports were empty.
        self._empty_ns = self._looked_ns if woken_ns is None else woken_ns
        self._looked_ns = self._began_ns if woken_ns is None else woken_ns

    def _woken_ns(self) -> int | None:
        """When this poll was woken up; None when it did not sleep, or its begin was not seen."""
        now = monotonic_ns()
        if self._stale or self._schedstat is None or now - self._began_ns < _SHORT_NS:
            return None
        sleeps = resource.getrusage(_THREAD).ru_nvcsw
        if sleeps == self._sleeps:
            return None
        waited_ns = self._wait_ns()
        woken_ns = max(now - (waited_ns - self._waited_ns), self._began_ns)
        self._waited_ns = waited_ns
        return woken_ns

    def _wait_ns(self) -> int:
        """How long this thread has waited for a processor in all, ns; 0 where that is not told."""
        return int(os.pread(self._schedstat, 64, 0).split()[1]) if self._schedstat is not None else 0

    def close(self) -> None:
        """Stop stamping."""
        self._before.stop()
        self._after.stop()
        if self._schedstat is not None:
            os.close(self._schedstat)
            self._schedstat = None
