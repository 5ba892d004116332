"""What the kernel says of one process's memory, in bytes.

All raise ProcessLookupError or FileNotFoundError (psutil.NoSuchProcess on macOS) when the process has ended.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

_LINUX = sys.platform == "linux"


def reset_high_water(process: psutil.Process) -> None:
    """Set VmHWM to the present resident set (proc(5): writing 5 to clear_refs); nothing on macOS."""
    if _LINUX:
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")


def high_water_bytes(process: psutil.Process) -> int | None:
    """VmHWM: the largest resident set since the reset; None on macOS, which keeps no such mark.

    ``ru_maxrss`` is no substitute: a fresh child inherits its parent's, and no reset takes that back.
    """
    return _line_bytes(process.pid, "status", "VmHWM") if _LINUX else None


def rss_bytes(process: psutil.Process) -> int:
    """The resident set."""
    return _line_bytes(process.pid, "status", "VmRSS") if _LINUX else process.memory_info().rss


def pss_bytes(pid: int) -> int:
    """The proportional set: each page divided by how many processes map it.

    Walks the page tables with the process's mmap lock held: some ms for 500 MB. Raises PermissionError
    where the process may not be read. Source: the kernel's Documentation/filesystems/proc.rst.
    """
    return _line_bytes(pid, "smaps_rollup", "Pss")


def tells_pss() -> bool:
    """Whether this system can tell a process's PSS at once (Linux 4.14 and later)."""
    return Path("/proc/self/smaps_rollup").exists()


def _line_bytes(pid: int, file: str, name: str) -> int:
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(f"process {pid} has no {name}: it has ended")
