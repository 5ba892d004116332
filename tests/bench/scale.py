"""Beyond one load process: what more of them deliver, and what their records cost in the master.

nginx answers; the load comes from the driver alone, from one and two load processes of this machine, and from
one and two load hosts, which are network namespaces and go with this process. They need root.
``python -m tests.bench.scale [--smoke] [--write]``
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from analysis.table import digits
from harness.programs.cores import split_cores
from harness.programs.ports import HOST
from harness.programs.processes import Processes
from harness.trials.validity import MOST_CLIENT_CPU
from results.records import REQUEST_STRUCT
from tests.bench import growth, handover
from tests.bench.crews import Bench, of_made_up
from tests.bench.disturbance import disturbance
from tests.bench.nginx import SMALL_BYTES
from tests.bench.tables import parser, publish, table
from tests.hosts import TARGET, Host, joined
from tests.programs import lacking_network_namespaces

_GROWTH = growth.Sizes(rounds=7, window_s=0.6, large_bytes=20_000_000, pinnings=(growth.PINNED, growth.FREE))
_HANDOVER = handover.Sizes(rounds=4, records=1_000_000, trials=10)
_TARGET = (5, 2.5)
_SMALL_GROWTH = growth.Sizes(rounds=1, window_s=0.2, large_bytes=1_000_000, pinnings=(growth.PINNED,))
_SMALL_HANDOVER = handover.Sizes(rounds=1, records=20_000, trials=2)
_SMALL_TARGET = (1, 0.3)
"""How often and how long (s) the target is looked at."""
#: Two loads that are planned by what was measured, over windows of so long.
_SMALL_RATE, _LINE_BITS, _WINDOW_S = 200_000, 10e9, 10
#: Of a full Ethernet frame with its gap (IEEE 802.3) what is left for the content of TCP with timestamps.
_CONTENT = 1448 / 1538
#: Set in the namespaces that are to be the target's host.
_IS_TARGET = "STREAMGAUGE_BENCH_IS_TARGET"


def main() -> None:
    """Measure, and print the tables."""
    options = parser(
        "requests and bytes a second of several load processes, and the master's cost"
    ).parse_args()
    reason = lacking_network_namespaces()
    if reason is None and _IS_TARGET not in os.environ:
        words = ["unshare", "--net", "--uts", sys.executable, "-m", "tests.bench.scale", *sys.argv[1:]]
        os.execvpe(words[0], words, os.environ | {_IS_TARGET: "1"})  # noqa: S606
    small = (_SMALL_GROWTH, _SMALL_HANDOVER, _SMALL_TARGET)
    growing, handing_over, looking = small if options.smoke else (_GROWTH, _HANDOVER, _TARGET)
    cores = split_cores()
    with (
        _hosts(reason) as (listen, hosts),
        tempfile.TemporaryDirectory(prefix="sg-") as folder,
        Processes() as processes,
    ):
        bench = Bench(processes, Path(folder))
        grown = growth.growth(bench, cores, listen, hosts, growing)
        with _on(cores.harness), of_made_up(bench, "made-up", cores, 2) as crew:
            cost = handover.cost_of_records(bench, crew, handing_over)
            disturbed = disturbance(bench, crew, cores, *looking)
    parts = [grown.text, cost.text, disturbed, _derived(grown, cost), _plans(grown, cost)]
    if reason is not None:
        parts.append(f"Without load hosts: {reason}.")
    publish("scale", "\n\n".join(parts), write=options.write)


def _derived(grown: growth.Growth, cost: handover.Cost) -> str:
    """Where the limits lie, by what was measured above: this table is reckoned, not measured."""
    small_us, megabyte_us = grown.costs_us
    requests, megabytes = MOST_CLIENT_CPU * 1e6 / small_us, MOST_CLIENT_CPU * 1e6 / megabyte_us
    kept_ns = cost.master_ns + cost.harness_ns + cost.stored_ns
    rows = [
        ["1 KB responses that one worker may ask for in a second", digits(requests)],
        ["the same of large bodies, MB/s", digits(megabytes)],
        ["in Gbit/s, without the headers of packets", digits(megabytes * 8 / 1e3)],
        ["seconds to hand over, merge and store a million records, on one core", digits(kept_ns / 1e3)],
        ["of these, in the master", digits(cost.master_ns / 1e3)],
        [
            "workers at that rate whose records take as long to keep as to make",
            digits(1e9 / kept_ns / requests),
        ],
        ["million requests in one trial for each GiB of memory", digits(2**30 / cost.most_bytes / 1e6)],
    ]
    head = f"**Derived, not measured**: by the medians above, a worker at {MOST_CLIENT_CPU:.0%} of its core"
    return f"{head}\n\n{table(['', ''], rows)}"


def _plans(grown: growth.Growth, cost: handover.Cost) -> str:
    """What two loads would take, by the same figures."""
    small_us, megabyte_us = grown.costs_us
    line_mb = _LINE_BITS * _CONTENT / 8e6
    rates = (_SMALL_RATE, line_mb * 1e6 / _GROWTH.large_bytes)
    cores = (_SMALL_RATE * small_us / 1e6, line_mb * megabyte_us / 1e6)
    records = [rate * _WINDOW_S for rate in rates]
    kept_ns = cost.master_ns + cost.harness_ns + cost.stored_ns
    rows = [
        ["responses a second", *map(digits, rates)],
        ["their bodies, Gbit/s", digits(_SMALL_RATE * SMALL_BYTES * 8 / 1e9), digits(line_mb * 8 / 1e3)],
        ["cores of load", *map(digits, cores)],
        ["workers, none above 90% of its core", *(str(math.ceil(one / MOST_CLIENT_CPU)) for one in cores)],
        [f"records of a window of {_WINDOW_S} s", *map(digits, records)],
        ["seconds to carry them to the master over 1 Gbit/s", *(digits(_carried_s(one)) for one in records)],
        [
            "seconds of one core to hand over, merge and store them",
            *(digits(one * kept_ns / 1e9) for one in records),
        ],
        [
            "MiB of memory for them, in the master and the harness",
            *(digits(one * cost.most_bytes / 2**20) for one in records),
        ],
    ]
    headings = ["", f"{_SMALL_RATE:,} responses of 1 KB a second", "20 MB responses that fill 10 Gbit/s"]
    return f"**Two loads, derived by the same figures**\n\n{table(headings, rows)}"


def _carried_s(records: float) -> float:
    return records * REQUEST_STRUCT.size / (1e9 * _CONTENT / 8)


@contextlib.contextmanager
def _hosts(reason: str | None) -> Iterator[tuple[str, Sequence[Host]]]:
    """The target's address, and the load hosts; none where there is a reason."""
    if reason is not None:
        yield HOST, ()
        return
    with joined(Host("target", 0, os.getpid()), "load-a", "load-b") as (_, *loads):
        yield TARGET, loads


@contextlib.contextmanager
def _on(cores: Sequence[int] | None) -> Iterator[None]:
    """This process stays on these cores, as the harness of a run does."""
    if cores is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    main()
