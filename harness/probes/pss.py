"""Samples the PSS of a server tree in the warm-up, where reading it disturbs nothing that is timed.

A reading holds the mmap lock of the process and walks its page tables: inside the window it would slow down
what is measured.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from analysis.trial.tree_pss import why_untold
from harness.probes.memory import pss_bytes, tells_pss
from harness.programs.scheduling import SAMPLER, first_in_line
from results.pss import PssSample
from results.records import LoadRecord, ServerRecord

#: Readings take up at most this share of the warm-up: a slower server would not show its peak.
MOST_COST = 0.1
LEAST_PAUSE_S = 0.005
#: The last reading begins so long before the warm-up's end, or five of the longest readings, if that is more.
_DISTANCE_NS = 20_000_000
_READINGS_DISTANCE = 5


class PssSampler:
    """The tree's PSS before the load, again and again in the warm-up, and once after the drain."""

    def __init__(self) -> None:
        self.samples: list[PssSample] = []
        self.method = "not told: the warm-up was not sampled"
        self._pids: Sequence[int] = ()
        self._readable = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, pids: Sequence[int], warmup_s: float, after_s: float = 0.0) -> Mapping[int, int]:
        """Read once, by pid, then sample on a thread.

        It samples within a warm-up that begins ``after_s`` after this call, and ends before that does.

        Empty where PSS cannot be read; `method` says why. Raises ProcessLookupError or FileNotFoundError
        when a process is gone.
        """
        if not tells_pss():
            self.method = "not told: this system does not tell PSS (it has no /proc/PID/smaps_rollup)"
            return {}
        self._pids = pids
        self._readable = True
        self.method = (
            "PSS (smaps_rollup) of the tree, read before the load, in the warm-up and after the drain"
        )
        before = self._read()
        begin_ns = time.monotonic_ns() + round(after_s * 1e9)
        end_ns = begin_ns + round(warmup_s * 1e9)
        self._thread = threading.Thread(
            target=self._sample, args=[begin_ns, end_ns], name="pss-sampler", daemon=True
        )
        self._thread.start()
        return before

    def end(self) -> Mapping[int, int]:
        """Read once more, by pid; raises as `begin` does."""
        self.close()
        return self._read()

    def close(self) -> None:
        """End sampling, if it goes on."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _sample(self, begin_ns: int, end_ns: int) -> None:
        first_in_line(0, SAMPLER)  # it may have to share the driver's core
        if self._stop.wait(max(begin_ns - time.monotonic_ns(), 0) / 1e9):
            return
        while self._readable:
            longest_ns = max(sample.took_ns for sample in self.samples)
            latest_ns = end_ns - max(_DISTANCE_NS, _READINGS_DISTANCE * longest_ns)
            pause_s = max(LEAST_PAUSE_S, self.samples[-1].took_ns / 1e9 * (1 / MOST_COST - 1))
            if time.monotonic_ns() + pause_s * 1e9 > latest_ns or self._stop.wait(pause_s):
                return
            if time.monotonic_ns() > latest_ns:  # woken up late
                return
            try:
                self._read()
            except (ProcessLookupError, FileNotFoundError):
                return  # whoever reads after the drain says that it is gone

    def _read(self) -> Mapping[int, int]:
        if not self._readable:
            return {}
        at_ns = time.monotonic_ns()
        try:
            found = {pid: pss_bytes(pid) for pid in self._pids}
        except PermissionError as error:
            self._readable = False
            self.samples.clear()
            self.method = f"not told: {error.filename} may not be read (permission denied)"
            return {}
        self.samples.append(PssSample(at_ns, time.monotonic_ns() - at_ns, sum(found.values())))
        return found


def with_reason(server: ServerRecord, load: LoadRecord) -> ServerRecord:
    """The record, whose ``pss_method`` says why where the load leaves the tree's peak untold."""
    return replace(server, pss_method=why_untold(load, server) or server.pss_method)
