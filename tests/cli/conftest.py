"""The command line as a user has it: a process of its own, in an empty folder."""

from __future__ import annotations

import os
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


@pytest.fixture
def streamgauge(tmp_path: Path) -> Streamgauge:
    """Runs the command line in ``tmp_path`` and returns its exit code and output."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).with_name("streamgauge")), *words],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return run
