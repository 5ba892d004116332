"""Running a bench's small form in a test, so that it cannot rot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent.parent.parent
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def smoke(bench: str, *, needs: Sequence[str] = ()) -> str:
    """What ``python -m tests.bench.BENCH --smoke`` prints.

    Where a system program that it needs is not installed, the test is skipped, and fails under ``CI=true``.
    """
    missing = [name for name in needs if shutil.which(name, path=_PATH) is None]
    if missing:
        reason = f"{', '.join(missing)} not installed; .ci/run says which packages the whole tests need"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
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
