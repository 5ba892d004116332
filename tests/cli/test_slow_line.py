"""A run whose load, two processes of it, is at the other end of a line of a known rate."""

from __future__ import annotations

import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path

from results.drops import LineDrops
from results.store import Store
from tests.cli.conftest import TINY, Streamgauge
from tests.programs import need_network_namespaces

BYTES_A_SECOND = 10**6


def test_the_line_is_the_limit_and_is_gone_afterwards(streamgauge: Streamgauge, tiny: Path) -> None:
    need_network_namespaces()
    suite = TINY.format(blocks=1).replace("users = 1", "users = 2").replace("rows = [1, 100]", "rows = 100")
    suite = suite.replace("total = 300", "total = 1000").replace('window = "0.3s"', 'window = "0.8s"')
    tiny.write_text(suite + '\n[[network]]\nrate = ["8 Mbit/s", "unlimited"]\n')
    done = streamgauge("run", str(tiny), "--processes", "2", "--output", "line.sqlite")
    assert done.returncode == 0, done.stderr
    told = streamgauge("report", "line.sqlite", "--format", "markdown", "--output", "line.md")
    assert told.returncode == 0
    assert "over a link within the server's machine" in (tiny.parent / "line.md").read_text()
    with Store.open(tiny.parent / "line.sqlite") as store:
        run, traces = store.read(), store.traces()
    line = run.header.environment["line"]
    assert ip_address(line["server"]) in ip_network("198.18.0.0/15")
    rates: dict[object, list[float]] = {"8Mbit/s": [], "unlimited": []}
    cases = {case.identity: case for case in run.header.cases}
    for trial in run.trials:
        throughput = trial.figures["throughput"]
        assert throughput is not None
        rates[cases[trial.slot.case].parameters["line_rate"]].append(throughput)
        assert len(trial.workers) == 2
        shaped = cases[trial.slot.case].parameters["line_rate"] == "8Mbit/s"
        assert trial.line_drops == (LineDrops(0, 0) if shaped else None)
    for trace in traces:
        rate = cases[trace.case].parameters["line_rate"]
        noted = trace.note is not None and f"asked over a line ({rate}): what is late may" in trace.note
        assert noted is (rate == "8Mbit/s")
    assert {bucket["kind"] for bucket in line["queues"]["8Mbit/s"]["load"]} == {"tbf"}
    assert all(0.7 * BYTES_A_SECOND < rate < BYTES_A_SECOND for rate in rates["8Mbit/s"])
    assert min(rates["unlimited"]) > 1.5 * BYTES_A_SECOND
    addresses = subprocess.run(["ip", "-br", "address"], capture_output=True, text=True, check=True).stdout
    assert line["server"] not in addresses
