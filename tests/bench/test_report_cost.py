"""The bench of what a report costs works."""

from __future__ import annotations

import re

from tests.bench.smoke import smoke


def test_it_prints_time_memory_and_size_of_each_form() -> None:
    printed = smoke("report_cost")
    assert printed.startswith("2,000 requests in 20 trials")
    rows = re.findall(r"^\| (\w+) \| ([\d.]+) \(.*\) \| (\d+) MiB \| ([\d.]+) MB \|$", printed, re.MULTILINE)
    assert [name for name, *_ in rows] == ["html", "markdown"]
    assert all(float(value) > 0 for _, *values in rows for value in values)
