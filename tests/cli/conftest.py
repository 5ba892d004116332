"""The command line as a user has it: a process of its own, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TINY = """
name = "tiny"
blocks = {blocks}
warmup = "0.1s"
window = "0.3s"
trace = false

[[target]]
name = "flights.csv"
app = "targets.csv_app:app"
ready = "/csv?total=1"
baseline = "/csv?total={{total}}"
stream = "/csv/rows?total={{total}}&rows={{rows}}"
total = 300
rows = [1, 100]

[[server]]
kind = "gunicorn"
worker_class = "sync"

[[scenario]]
kind = "download"
users = 1
"""

Streamgauge = Callable[..., subprocess.CompletedProcess[str]]


def environment() -> dict[str, str]:
    """Ours, without what would send results elsewhere."""
    return {name: value for name, value in os.environ.items() if name != "STREAMGAUGE_RESULTS"}


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A suite of four slots, each about a second."""
    path = tmp_path / "tiny.toml"
    path.write_text(TINY.format(blocks=1))
    return path


#: What a shared machine does to a trial, and no fault of what is tested.
_MACHINE = re.compile(
    r"held up|could not keep up|of its core|the hypervisor took|a cgroup held|clock was stepped|PSS reached"
)
_ATTEMPTS = 4


def spoilt_by_the_machine(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether a run ended as invalid for nothing but what the machine did."""
    told = [line for line in done.stderr.splitlines() if line.startswith("invalid: trial")]
    return done.returncode == 3 and bool(told) and all(map(_MACHINE.search, told))


@pytest.fixture
def streamgauge(tmp_path: Path) -> Streamgauge:
    """Runs the command line in ``tmp_path`` and returns its exit code and output.

    A run that the machine spoilt is made once more, as its user would; what it left behind is removed.
    """

    def once(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).with_name("streamgauge")), *words],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        before = set(tmp_path.rglob("*"))
        for _ in range(_ATTEMPTS - 1):
            done = once(*words)
            if words[0] != "run" or "--resume" in words or not spoilt_by_the_machine(done):
                return done
            for path in set(tmp_path.rglob("*.sqlite")) - before:
                path.unlink()
        return once(*words)

    return run
