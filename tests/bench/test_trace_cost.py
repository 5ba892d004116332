"""The bench of the ledger's cost works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_it_prints_a_ratio_for_each_chunk_size() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.trace_cost", "--smoke"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if re.match(r"\| (whole|rows=\d+) \|", line)]
    assert [row.split("|")[1].strip() for row in rows] == ["whole", "rows=1", "rows=50", "rows=500"]
    for row in rows:
        ratios = [float(value) for value in re.findall(r"([\d.]+) \(", row)]
        assert len(ratios) == 3
        assert min(ratios) > 0
