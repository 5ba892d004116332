"""Running a bench's small form in a test, so that it cannot rot."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.programs import need

_ROOT = Path(__file__).parent.parent.parent


def smoke(bench: str, *, needs: Sequence[str] = ()) -> str:
    """What ``python -m tests.bench.BENCH --smoke`` prints.

    Where a system program that it needs is not installed, the test is skipped, and fails under ``CI=true``.
    """
    need(*needs)
    done = subprocess.run(
        [sys.executable, "-m", f"tests.bench.{bench}", "--smoke"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
