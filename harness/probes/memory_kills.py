"""Whether the kernel killed something for want of memory in a server's control group."""

from __future__ import annotations

from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")


class MemoryKills:
    """Counts from its making on, in the control group that a process is in then.

    Source: ``oom_kill`` of ``memory.events`` (kernel cgroup-v2 document) and of ``memory.oom_control`` (v1).
    """

    def __init__(self, pid: int | None) -> None:
        self._file = None if pid is None else _counter_of(pid)
        self._before = _read(self._file)

    def count(self) -> int | None:
        """So many since; null where the kernel does not tell."""
        now = _read(self._file)
        return None if now is None or self._before is None else now - self._before


def _counter_of(pid: int) -> Path | None:
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:  # no Linux, or it has ended already
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        own = path.lstrip("/")
        if controllers == "memory":
            found = [_GROUPS / "memory" / own / "memory.oom_control", _GROUPS / "memory/memory.oom_control"]
        elif not controllers:
            found = [_GROUPS / own / "memory.events", _GROUPS / "unified" / own / "memory.events"]
        else:
            continue
        for file in found:
            if file.exists():
                return file
    return None


def _read(file: Path | None) -> int | None:
    try:
        rows = dict(line.split() for line in file.read_text().splitlines()) if file is not None else {}
    except (OSError, ValueError):
        return None
    return int(rows["oom_kill"]) if "oom_kill" in rows else None
