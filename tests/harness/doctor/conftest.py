"""The breakers' folder, and what the doctor finds there."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.harness.doctor import breakers
from tests.harness.doctor.looks import AT_ONCE, Exam, Look, Looked


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return breakers.lay_out(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def looked(request: pytest.FixtureRequest, shop: Path) -> Iterator[Looked]:
    """What the chosen tests of a file want looked at (their ``look``) is begun with the first of them."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = Looked(shop, pool)
        for item in request.session.items:
            if item.path == request.path and isinstance(item, pytest.Function) and hasattr(item, "callspec"):
                look = item.callspec.params.get("look")
                if isinstance(look, Look | Exam):
                    found.begin(look)
        yield found
