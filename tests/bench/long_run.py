"""A run of a million requests: how much memory the harness and its load driver take as it goes on.

``python -m tests.bench.long_run``: the command line measures an nginx that answers with a kilobyte, in many
trials; then the same in a few long ones. Each process's resident memory is read after each trial.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from harness.probes.memory import high_water_bytes
from harness.programs.cores import split_cores
from results.errors import StoreError
from results.store import Store
from tests.bench.nginx import nginx
from tests.bench.tables import parser, publish, table

_PROGRAM = str(Path(sys.executable).with_name("streamgauge"))
_SUITE = """
name = "long"
blocks = {blocks}
warmup = "0.1s"
window = "{window_s}s"

[[target]]
name = "small"
url = "http://127.0.0.1:{port}"
ready = "/small"
baseline = "/small"
stream = "/small?{{other}}"
other = ["a"]

[[scenario]]
kind = "download"
users = 8
"""
_TRIALS_IN_A_BLOCK = 3
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Seen:
    """After so many trials and requests: resident memory, and the most that it ever was (bytes)."""

    trials: int
    requests: int
    harness_bytes: int
    harness_most_bytes: int
    driver_bytes: int
    driver_most_bytes: int


def main() -> None:
    options = parser("memory of the harness over a million requests").parse_args()
    runs = [(1, 0.3)] if options.smoke else [(20, 2.0), (1, 40.0)]
    tables = []
    for blocks, window_s in runs:
        seen = list(_measured(blocks, window_s))
        rows = [row(item) for item in _spread(seen)]
        trials = blocks * _TRIALS_IN_A_BLOCK
        words = f"{trials} trials of {window_s:g} s, {seen[-1].requests:,} requests:{_slopes(seen)}"
        tables.append(f"{words}\n\n{table(_HEADINGS, rows)}")
    publish("long_run", "\n\n".join(tables), write=options.write)


_HEADINGS = ("trials", "requests", "harness", "at most", "load driver", "at most")


def row(seen: Seen) -> list[str]:
    """One line of the table."""
    memory = (seen.harness_bytes, seen.harness_most_bytes, seen.driver_bytes, seen.driver_most_bytes)
    return [str(seen.trials), f"{seen.requests:,}", *(f"{value / _MIB:.0f} MiB" for value in memory)]


def _measured(blocks: int, window_s: float) -> Iterator[Seen]:
    """What was seen after each trial, and when the run had ended."""
    cores = split_cores()
    with tempfile.TemporaryDirectory(prefix="sg-long-") as name, nginx(cores.server, 1024) as server:
        folder = Path(name)
        suite = folder / "long.toml"
        suite.write_text(_SUITE.format(blocks=blocks, window_s=window_s, port=server.port))
        store = folder / "run.sqlite"
        words = [_PROGRAM, "run", str(suite), "--output", str(store), "--quiet", "--force"]
        with subprocess.Popen(words, cwd=folder, env=os.environ | {"TMPDIR": name}) as run:
            harness = psutil.Process(run.pid)
            known = 0
            while run.poll() is None:
                time.sleep(0.3)
                with contextlib.suppress(StoreError, psutil.Error, FileNotFoundError, ProcessLookupError):
                    found = _counted(store)
                    if found[0] > known:
                        seen = _seen(found, harness)  # before it is counted: the driver may be gone
                        known = found[0]
                        yield seen
            if known < blocks * _TRIALS_IN_A_BLOCK - 1:
                raise SystemExit(f"the run ended with {run.returncode} after {known} trials")


def _counted(store: Path) -> tuple[int, int]:
    with Store.open_unchecked(store) as opened:
        trials = opened.read().trials
    return len(trials), sum(sum(trial.outcomes.values()) for trial in trials)


def _seen(counted: tuple[int, int], harness: psutil.Process) -> Seen:
    drivers = [
        process for process in harness.children(recursive=True) if "scenarios.driver" in process.cmdline()
    ]
    if not drivers:
        raise psutil.NoSuchProcess(harness.pid, msg="the load driver has ended")
    driver = drivers[0]
    memory = [
        value
        for process in (harness, driver)
        for value in (process.memory_info().rss, high_water_bytes(process) or 0)
    ]
    return Seen(*counted, *memory)


def _spread(seen: Sequence[Seen]) -> Sequence[Seen]:
    """The first, the last, and some in between."""
    return [seen[round(at)] for at in np.unique(np.linspace(0, len(seen) - 1, 6).round())]


def _slopes(seen: Sequence[Seen]) -> str:
    """By how much memory grew over the second half, a million requests."""
    half = seen[len(seen) // 2 :]
    if len(half) < 3:
        return ""
    requests = [item.requests / 1e6 for item in half]
    parts = [
        f"{name} {np.polyfit(requests, [value / _MIB for value in values], 1)[0]:+.1f} MiB"
        for name, values in (
            ("the harness", [item.harness_bytes for item in half]),
            ("the driver", [item.driver_bytes for item in half]),
        )
    ]
    return f" over its second half {' and '.join(parts)} a million requests"


if __name__ == "__main__":
    main()
