"""The bench's small form works, and sees both processes."""

from __future__ import annotations

import re

from tests.bench.smoke import smoke


def test_it_tells_the_memory_of_both_processes_after_each_trial() -> None:
    printed = smoke("long_run", needs=["nginx"])
    rows = re.findall(
        r"^\| (\d) \| ([\d,]+) \| (\d+) MiB \| (\d+) MiB \| (\d+) MiB \| (\d+) MiB \|$", printed, re.MULTILINE
    )
    assert [row[0] for row in rows][-1] in {"2", "3"}
    requests = [int(row[1].replace(",", "")) for row in rows]
    assert requests == sorted(requests)
    for _, _, harness, harness_most, driver, driver_most in rows:
        assert 20 < int(harness) <= int(harness_most) < 300
        assert 20 < int(driver) <= int(driver_most) < 300
