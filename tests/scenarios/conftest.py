"""One real load driver for all tests of this folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.loading.load import LoadDriver
from harness.programs.processes import Processes


@pytest.fixture(scope="session")
def driver() -> Iterator[LoadDriver]:
    # not pytest's own folder: a socket's path must be short
    with (
        tempfile.TemporaryDirectory(prefix="sg-") as folder,
        Processes() as processes,
        LoadDriver(processes, Path(folder), cores=None) as running,
    ):
        yield running
