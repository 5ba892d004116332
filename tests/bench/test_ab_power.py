"""The bench runs on real abs, and counts what they said."""

from __future__ import annotations

import re

from tests.bench.ab_power import tally
from tests.bench.smoke import smoke


def test_answers_are_counted_by_change() -> None:
    lines = tally({0.15: ["worse", "worse", "not confirmed"], 0.0: ["not worse"] * 3}).splitlines()
    assert lines[0].split(" | ")[1:] == ["not worse", "worse", "could not be measured", "not confirmed |"]
    assert lines[2] == "| +15% | 0 of 3 | 2 of 3 | 0 of 3 | 1 of 3 |"
    assert lines[3] == "| none | 3 of 3 | 0 of 3 | 0 of 3 | 0 of 3 |"


def test_the_bench_runs() -> None:
    shown = smoke("ab_power")
    assert re.search(r"^\| none (\| [01] of 1 ){4}\|$", shown, re.MULTILINE), shown
