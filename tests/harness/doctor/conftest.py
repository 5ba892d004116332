"""The breakers' folder, and what the doctor works with: one of each for a whole file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.doctor.subject import Tools, tools
from tests.harness.doctor import breakers


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return breakers.lay_out(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def at_hand() -> Iterator[Tools]:
    with tools() as found:
        yield found
