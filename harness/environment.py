"""The environment record: the machine, its settings, and every version that could matter."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from analysis.runs.fingerprint import changes
from harness.programs.cores import Cores
from harness.programs.processor import cpu_model, has_cpu_flag
from harness.servers.interpreter import target_packages
from harness.servers.proxying import installed_version
from harness.suites.matrix import PlannedCase, packages_of, proxies_of

PACKAGES = (
    "streamgauge",
    "flask",
    "werkzeug",
    "jinja2",
    "markupsafe",
    "gunicorn",
    "gevent",
    "greenlet",
    "locust",
    "httptools",
    "xxhash",
    "psutil",
    "numpy",
    "waitress",
    "granian",
    "cheroot",
    "pyuwsgi",
)
#: Variables that change how Python or the C library allocates, and so what memory figures mean.
_ALLOCATION_VARIABLES = ("PYTHONMALLOC", "MALLOC_ARENA_MAX", "MALLOC_TRIM_THRESHOLD_", "LD_PRELOAD")

ROOT = Path(__file__).resolve().parent.parent


def read_environment(
    cores: Cores, suite_folder: Path | None, cases: Sequence[PlannedCase] = ()
) -> dict[str, Any]:
    """The fingerprint of this machine and this program, JSON-ready; null where it cannot be known.

    ``packages`` are those of our own environment, ``target_packages`` those of the targets' interpreters.
    The version of a proxy, or of a middleware's package, is told where one of the ``cases`` has it: what a
    run does not use makes it no other run.
    """
    return {
        "cpu": cpu_model(),
        "cpu_count": psutil.cpu_count(),
        "cpu_count_physical": psutil.cpu_count(logical=False),
        "cpu_governor": _line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "hypervisor": has_cpu_flag("hypervisor"),
        "memory_bytes": psutil.virtual_memory().total,
        "swap_bytes": psutil.swap_memory().total,
        "transparent_hugepages": _line("/sys/kernel/mm/transparent_hugepage/enabled"),
        "load_average": list(os.getloadavg()),
        "system": platform.system(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "c_library": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
        "python_implementation": platform.python_implementation(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {
            **{name: _version(name) for name in (*PACKAGES, *packages_of(cases))},
            **{kind: installed_version(kind) for kind in proxies_of(cases)},
        },
        "target_packages": target_packages(cases, (*PACKAGES, *packages_of(cases))),
        "allocation_variables": {
            name: os.environ[name] for name in _ALLOCATION_VARIABLES if name in os.environ
        },
        "cores": {"server": cores.server, "load": cores.load, "harness": cores.harness},
        "git": git_state(ROOT),
        "suite_folder": str(suite_folder) if suite_folder is not None else None,
        "suite_git": git_state(suite_folder) if suite_folder is not None else None,
        "lock_sha256": _sha256(ROOT / "requirements.lock"),
    }


def differences(stored: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What of a stored environment is not so now, a phrase each; empty when a run may go on."""
    found = changes(stored, json.loads(json.dumps(now)))
    commits = [(item.get("git") or {}).get("commit") for item in (stored, now)]
    if commits[0] != commits[1]:
        found.append(f"streamgauge's own commit was {commits[0]} and is {commits[1]}")
    return found


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit, date and dirty flag of the checkout around ``folder``; None outside of one or without git."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        committed = datetime.fromisoformat(_git(folder, "show", "-s", "--format=%cI", commit))
        return {
            "commit": commit,
            "committed_utc": committed.astimezone(UTC).isoformat(timespec="seconds"),
            "dirty": bool(_git(folder, "status", "--porcelain")),
        }
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.strip()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _line(path: str) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None
