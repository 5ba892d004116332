"""The bench of the clocks works from the first load to its table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_smoke() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.clock", "--smoke"],
        cwd=Path(__file__).parent.parent.parent,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("|")]
    assert [cell.strip() for cell in rows[0][2:5]] == ["kernel stamp", "event loop", "Locust's figure"]
    assert [row[0].strip() for row in rows[2:]] == ["1, idle", "20, busy"]
    for row in rows[2:]:
        assert all(len(cell.split("/")) == 3 for cell in row[2:5])
        ours, locust = (int(number) for number in row[5].replace(",", "").split("and"))
        assert ours > 0
        assert locust > 0
    assert "Target, 1, idle, answers once" in done.stdout
