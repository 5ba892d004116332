"""The simulation of soaks runs, and errs neither where nothing leaks nor where much does."""

from __future__ import annotations

import pytest

from analysis.growth import Growth
from tests.bench.smoke import smoke
from tests.bench.soak_errors import MODELS, shares


@pytest.mark.parametrize("model", [name for name in MODELS if "leak" not in name])
def test_without_a_leak_hardly_anything_grows(model: str) -> None:
    assert shares(MODELS[model], 3000, 1, 40)[Growth.GROWS] <= 0.05


def test_a_leak_is_never_missed_and_mostly_found() -> None:
    found = shares(MODELS["a leak of 10 KiB"], 600, 1, 40)
    assert found[Growth.DOES_NOT] == 0
    assert found[Growth.GROWS] >= 0.75


def test_the_bench_runs() -> None:
    printed = smoke("soak_errors")
    assert all(f"| {name} |" in printed for name in MODELS)
