"""The bench's small form works: each way of making load is measured, and no record is lost."""

from __future__ import annotations

import re

from tests.bench.smoke import smoke
from tests.programs import need_network_namespaces


def test_processes_and_hosts_are_measured_and_all_records_arrive() -> None:
    need_network_namespaces()
    printed = smoke("scale", needs=["nginx"])
    for load in ("the driver alone", "1 load process", "2 load processes", "1 load host", "2 load hosts"):
        rates = re.findall(rf"^\| {load} \| ([\d,.]+) \(", printed, re.MULTILINE)
        assert len(rates) == 2, "requests a second and bytes a second"
        assert all(float(rate.replace(",", "")) > 0 for rate in rates)
    assert (
        re.findall(r"^\| in (?:one|\d+) trials? \| ([\d,]+) \| ([\d,]+) \|", printed, re.MULTILINE)
        == [("20,000", "0")] * 2
    )
    assert re.search(
        r"^\| 1 KB responses that one worker may ask for in a second \| [1-9]", printed, re.MULTILINE
    )
    assert re.search(
        r"^\| workers, none above 90% of its core \| [1-9]\d* \| [1-9]\d* \|$", printed, re.MULTILINE
    )
    assert re.search(r"handed over at [\d.,]+ million a minute, 0 lost", printed)
