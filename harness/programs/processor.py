"""The processor, as the system tells of it."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path


def cpu_model() -> str | None:
    """The processor as the system names it, null where it does not."""
    for line in _cpuinfo():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        done = subprocess.run(
            ["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() or None
    return platform.processor() or None


def has_cpu_flag(flag: str) -> bool | None:
    """Whether the processor has it, null where the system does not say (proc(5), cpuinfo)."""
    flags = [line for line in _cpuinfo() if line.startswith("flags")]
    return flag in flags[0].split() if flags else None


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
