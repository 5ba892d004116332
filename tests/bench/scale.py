"""Beyond one load process: what more of them deliver, and what their records cost in the master.

nginx answers; the load comes from the driver alone, from one and two load processes of this machine, and from
one and two load hosts, which are network namespaces and go with this process. They need root.
``python -m tests.bench.scale [--smoke] [--write]``
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.cores import split_cores
from harness.ports import HOST
from harness.processes import Processes
from tests.bench import growth, handover
from tests.bench.crews import Bench
from tests.bench.tables import parser, publish
from tests.hosts import TARGET, Host, joined
from tests.programs import lacking_network_namespaces

_GROWTH = growth.Sizes(rounds=9, window_s=0.6, large_bytes=20_000_000, pinnings=(growth.PINNED, growth.FREE))
_HANDOVER = handover.Sizes(rounds=5, records=1_000_000, trials=10, target_rounds=6, window_s=3.0)
_SMALL_GROWTH = growth.Sizes(rounds=1, window_s=0.2, large_bytes=1_000_000, pinnings=(growth.PINNED,))
_SMALL_HANDOVER = handover.Sizes(rounds=1, records=20_000, trials=2, target_rounds=1, window_s=0.3)
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
    sizes = (_SMALL_GROWTH, _SMALL_HANDOVER) if options.smoke else (_GROWTH, _HANDOVER)
    cores = split_cores()
    with (
        _hosts(reason) as (listen, hosts),
        tempfile.TemporaryDirectory(prefix="sg-") as folder,
        Processes() as processes,
    ):
        bench = Bench(processes, Path(folder))
        parts = [growth.growth(bench, cores, listen, hosts, sizes[0])]
        with _on(cores.harness):
            parts.append(handover.handover(bench, cores, sizes[1]))
    if reason is not None:
        parts.append(f"Without load hosts: {reason}.")
    publish("scale", "\n\n".join(parts), write=options.write)


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
