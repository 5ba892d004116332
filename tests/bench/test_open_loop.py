"""The bench's small form works, and says what it is there to say."""

from __future__ import annotations

import subprocess
import sys

STALL_MS = 300
UNITS_MS = {"s": 1000.0, "ms": 1.0, "µs": 0.001, "ns": 1e-6}


def milliseconds(cell: str) -> float:
    number, unit = cell.split()
    return float(number.replace(",", "")) * UNITS_MS[unit]


def test_the_closed_loop_hides_the_stall_and_the_open_one_does_not() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.open_loop", "--smoke"],
        capture_output=True,
        text=True,
        check=True,
        timeout=90,
    )
    rows = {}
    for line in done.stdout.splitlines():
        name, *cells = [cell.strip() for cell in line.strip("| ").split("|")]
        rows[name] = cells
    closed = rows["closed, 1 user"]
    constant, poisson, one = (rows[name] for name in rows if name.startswith("open, "))
    # cells: sent during the stall; TTFB p50, p95, max; effective TTFB p50, p95, max
    assert float(closed[0]) <= 1
    assert closed[4:] == ["–"] * 3
    assert milliseconds(closed[2]) < STALL_MS / 5
    assert float(one[0]) <= 1
    for opened in (constant, poisson):
        assert float(opened[0]) > 10
    for opened in (constant, poisson, one):
        assert milliseconds(opened[5]) > STALL_MS / 2
    assert [name for name in rows if name.endswith("/s, Poisson") and len(rows[name]) == 5] == [
        "20/s, Poisson",
        "200/s, Poisson",
        "1000/s, Poisson",
    ]
