"""What the machine took away from a trial: time that the hypervisor stole, and cgroup throttling."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_STAT = Path("/proc/stat")
_STEAL_COLUMN = 7


@dataclass(frozen=True, slots=True)
class MachineReading:
    """Totals since boot: jiffies over the watched cores, and throttled ns; None where not told."""

    steal_jiffies: int | None
    all_jiffies: int | None
    throttled_ns: int | None


def read_machine(cores: Iterable[int] | None) -> MachineReading:
    """The totals now, for these cores (all of them when None). Source: proc(5), kernel cgroup docs."""
    steal, total = _jiffies(cores)
    return MachineReading(steal, total, _throttled_ns())


def steal_share(before: MachineReading, after: MachineReading) -> float | None:
    """The share (0 to 1) of the cores' time between two readings that the hypervisor took."""
    if None in {before.steal_jiffies, before.all_jiffies, after.steal_jiffies, after.all_jiffies}:
        return None
    assert before.all_jiffies is not None and after.all_jiffies is not None  # noqa: S101, PT018
    assert before.steal_jiffies is not None and after.steal_jiffies is not None  # noqa: S101, PT018
    passed = after.all_jiffies - before.all_jiffies
    return (after.steal_jiffies - before.steal_jiffies) / passed if passed else 0.0


def throttled_ns(before: MachineReading, after: MachineReading) -> int | None:
    """For how long (ns) a cgroup held us back between two readings."""
    if before.throttled_ns is None or after.throttled_ns is None:
        return None
    return after.throttled_ns - before.throttled_ns


def _jiffies(cores: Iterable[int] | None) -> tuple[int | None, int | None]:
    if not _STAT.exists():
        return None, None
    wanted = {"cpu"} if cores is None else {f"cpu{core}" for core in cores}
    rows = [line.split() for line in _STAT.read_text().splitlines() if line.split()[0] in wanted]
    # guest time (columns 8 and 9) is contained in user time already
    counts = [[int(value) for value in row[1:9]] for row in rows]
    return sum(row[_STEAL_COLUMN] for row in counts), sum(sum(row) for row in counts)


def _throttled_ns() -> int | None:
    """Of our own control group: ``throttled_usec`` (cgroup v2) or ``throttled_time`` (v1, ns)."""
    membership = Path("/proc/self/cgroup")
    if not membership.exists():
        return None
    for line in membership.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            place = Path("/sys/fs/cgroup") / path.lstrip("/") / "cpu.stat"
        elif "cpu" in controllers.split(","):
            place = Path("/sys/fs/cgroup/cpu") / path.lstrip("/") / "cpu.stat"
        else:
            continue
        if place.exists():
            values = dict(row.split() for row in place.read_text().splitlines())
            if "throttled_usec" in values:
                return int(values["throttled_usec"]) * 1000
            if "throttled_time" in values:
                return int(values["throttled_time"])
    return None
