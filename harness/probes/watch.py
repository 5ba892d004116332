"""Watches a server tree through one trial: memory marks, sampled RSS and PSS, CPU time."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import psutil

from harness.probes.memory import high_water_bytes, reset_high_water, rss_bytes
from harness.probes.pss import PssSampler
from harness.probes.timeline import Timeline
from harness.programs.scheduling import SAMPLER, first_in_line
from results.errors import MeasurementError
from results.records import MemorySample, ProcessMemory, ServerRecord
from scenarios.machine import read_machine, steal_share, throttled_ns

SAMPLE_EVERY_S = 0.02
#: The client has its last byte before the worker has closed the response and let go of what it held.
SETTLE_S = 0.1

_LINUX = sys.platform == "linux"
_CHANGED = (
    "the server's processes changed during the trial (a worker ended, or was started, restarted or "
    "replaced), so that their memory and CPU cannot be told"
)
_PASSING = "not told: processes of the server came and went, and their memory with them"


class ServerChanged(MeasurementError):  # noqa: N818  - named for what happened
    """A process of the server tree ended or appeared during the trial: its memory cannot be told."""


class NotReadable(ServerChanged):
    """The server is another user's: nothing can be told of it, and nothing has happened to it."""


class ServerWatch:
    """One trial's watch over the tree that ``root_pid`` started, on these cores, beside a load on others.

    `reset` comes after readiness and one small request and before the warm-up; `read` after the drain.
    """

    def __init__(
        self, root_pid: int, cores: Sequence[int] | None, load_cores: Sequence[int] | None = None
    ) -> None:
        self._root_pid = root_pid
        self._cores = [cores] if load_cores is None else [cores, load_cores]
        self._processes: list[psutil.Process] = []
        self._rss_at_reset: dict[int, int] = {}
        self._timelines: dict[int, Timeline] = {}
        self._pss = PssSampler()
        self._pss_at_reset: Mapping[int, int] = {}
        self._stop = threading.Event()
        self._sampler = threading.Thread(target=self._sample, name="memory-sampler", daemon=True)

    def reset(self, warmup_s: float = 0.0, *, after_s: float = 0.0) -> None:
        """Take the tree as it is, reset the kernel's high-water marks, and start sampling.

        PSS is sampled only in a warm-up of ``warmup_s`` seconds that begins ``after_s`` after this call.
        Raises ServerChanged when the server is gone.
        """
        try:
            self._processes = _tree(self._root_pid)
            for process in self._processes:
                reset_high_water(process)
                self._rss_at_reset[process.pid] = rss_bytes(process)
                self._timelines[process.pid] = Timeline()
            self._machine = [read_machine(cores) for cores in self._cores]
            self._cpu_ns = self._cpu_time_ns()
            self._reaped = self._reaped_faults()
            self._pss_at_reset = self._pss.begin(
                [process.pid for process in self._processes], warmup_s, after_s
            )
        except (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError) as error:
            raise ServerChanged("a process of the server ended before the load began") from error
        except (psutil.AccessDenied, PermissionError) as error:
            raise NotReadable(
                f"the memory of process {self._root_pid} may not be read: it is another user's. Run "
                "streamgauge as that user, or leave pid out"
            ) from error
        self._sampler.start()

    def read(self, ran_as: str | None) -> ServerRecord:
        """What was seen since the reset; sampling ends. Takes `SETTLE_S` and a little more.

        Raises ServerChanged when the tree is no longer the one that was reset.
        """
        self._end_sampling()
        try:
            cpu_ns = self._cpu_time_ns() - self._cpu_ns
            machine = [read_machine(cores) for cores in self._cores]
            now = {process.pid for process in _tree(self._root_pid)}
            processes = [self._memory_of(process) for process in self._processes]
            passing = self._reaped_faults() != self._reaped
            pss_at_end = self._pss.end()
            time.sleep(SETTLE_S)
            settled = [rss_bytes(process) for process in self._processes]
        except (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError) as error:
            raise ServerChanged(_CHANGED) from error
        if now != set(self._rss_at_reset):
            raise ServerChanged(_CHANGED)
        return ServerRecord(
            ran_as=ran_as,
            cpu_ns=cpu_ns,
            processes=[] if passing else self._with(processes, settled, pss_at_end),
            samples=[sample for timeline in self._timelines.values() for sample in timeline.samples],
            machine_steal=_greatest(map(steal_share, self._machine, machine)),
            machine_throttled_ns=throttled_ns(self._machine[0], machine[0]),
            memory_method=_memory_method(passing),
            cpu_method="process CPU clocks and reaped children's times" if _LINUX else "process times",
            pss_samples=[] if passing else self._pss.samples,
            pss_method=_PASSING if passing else self._pss.method,
        )

    def close(self) -> None:
        """End sampling, if it goes on."""
        self._end_sampling()

    def _end_sampling(self) -> None:
        self._pss.close()
        self._stop.set()
        if self._sampler.is_alive():
            self._sampler.join()

    def _sample(self) -> None:
        first_in_line(0, SAMPLER)  # it may have to share the driver's core
        watched = list(self._processes)
        while not self._stop.wait(SAMPLE_EVERY_S):
            for process in list(watched):
                try:
                    rss = process.memory_info().rss
                except psutil.NoSuchProcess:
                    watched.remove(process)  # `read` says that it is gone
                    continue
                self._timelines[process.pid].add(MemorySample(process.pid, time.monotonic_ns(), rss))

    def _memory_of(self, process: psutil.Process) -> ProcessMemory:
        pid = process.pid
        rss = rss_bytes(process)
        sampled = [sample.rss_bytes for sample in self._timelines[pid].samples]
        alone = len(self._processes) == 1
        return ProcessMemory(
            pid=pid,
            role="worker" if alone or pid != self._root_pid else "master",
            rss_at_reset_bytes=self._rss_at_reset[pid],
            hwm_bytes=high_water_bytes(process),
            rss_at_end_bytes=rss,
            sampled_peak_bytes=max([self._rss_at_reset[pid], rss, *sampled]),
        )

    def _with(
        self, processes: Sequence[ProcessMemory], settled: Sequence[int], pss_at_end: Mapping[int, int]
    ) -> list[ProcessMemory]:
        """The processes with their RSS after settling and their PSS, where it could be read."""
        return [
            replace(
                process,
                rss_settled_bytes=rss,
                pss_at_reset_bytes=self._pss_at_reset.get(process.pid),
                pss_at_end_bytes=pss_at_end.get(process.pid),
            )
            for process, rss in zip(processes, settled, strict=True)
        ]

    def _cpu_time_ns(self) -> int:
        """CPU time (ns) of all threads of the tree, of those that have ended too.

        On Linux by each process's CPU clock, whose id is made of its pid (clock_getcpuclockid(3)): exact
        to the nanosecond, where the tasks' ``schedstat`` files forget threads that have ended. Children
        that came and went are added with what their parents were charged for them (10 ms ticks).
        """
        if _LINUX:
            clocks = sum(_process_clock_ns(process.pid) for process in self._processes)
            reaped = [process.cpu_times() for process in self._processes]
            return clocks + round(sum(item.children_user + item.children_system for item in reaped) * 1e9)
        times = [process.cpu_times() for process in self._processes]
        return round(sum(item.user + item.system for item in times) * 1e9)

    def _reaped_faults(self) -> int:
        """Page faults of all children that ended and were waited for: no process lives without one.

        Source: proc(5), /proc/PID/stat, cminflt. Always 0 where there is no /proc.
        """
        if not _LINUX:
            return 0
        stats = [Path(f"/proc/{process.pid}/stat").read_text() for process in self._processes]
        return sum(int(stat.rpartition(")")[2].split()[8]) for stat in stats)


def _memory_method(passing: bool) -> str:
    if passing:
        return _PASSING
    return "VmHWM after clear_refs" if _LINUX else f"RSS sampled each {SAMPLE_EVERY_S} s"


def _tree(root_pid: int) -> list[psutil.Process]:
    root = psutil.Process(root_pid)
    return [root, *root.children(recursive=True)]


def _process_clock_ns(pid: int) -> int:
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError as error:
        raise ProcessLookupError(f"process {pid} is gone") from error


def _greatest(shares: Iterable[float | None]) -> float | None:
    """The greatest of those that are told; None where none is."""
    return max((share for share in shares if share is not None), default=None)
