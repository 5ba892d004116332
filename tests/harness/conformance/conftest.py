"""What `conform` finds of the tiny servers, asked side by side and in less time than real ones are given."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.conformance import ending, hang_up, stall, timeout
from tests.harness.conformance.truths import Asked, Truth

#: Of two cores: they sleep for most of the time.
_AT_ONCE = 6


@pytest.fixture(scope="module")
def hurried() -> Iterator[None]:
    """Shorter waits: a tiny server does not have the timeouts that real ones have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stall, "STALL_S", 0.0)
        patch.setattr(hang_up, "_ASLEEP_GAP_MS", 400)
        patch.setattr(ending, "SOON_S", 0.5)
        patch.setattr(ending, "STUCK_AFTER_S", 1.0)
        patch.setattr(timeout, "_BEYOND_S", 0.2)
        yield


@pytest.fixture(scope="module")
def asked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, hurried: None
) -> Iterator[Asked]:
    """What the chosen tests of a file want asked (their ``truth``) is begun with the first of them."""
    with ThreadPoolExecutor(_AT_ONCE) as sleepers, ThreadPoolExecutor(1) as movers:
        found = Asked(tmp_path_factory.mktemp("witnesses"), sleepers, movers)
        for item in request.session.items:
            if item.path == request.path and isinstance(item, pytest.Function) and hasattr(item, "callspec"):
                truth = item.callspec.params.get("truth")
                if isinstance(truth, Truth):
                    found.begin(truth)
        yield found
