"""System programs that tests run: without one they are skipped with the reason, and fail under CI=true."""

from __future__ import annotations

import os

import pytest

from harness.proxying import find_program


def need(*names: str) -> None:
    """Ends the test, or all of a fixture's, where one of these programs is not installed."""
    missing = [name for name in names if find_program(name) is None]
    if not missing:
        return
    reason = f"{', '.join(missing)} not installed; .ci/run says which packages the whole tests need"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
