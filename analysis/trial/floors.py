"""The memory floors of a soak: the least that its server had in each of the equal parts of the window.

What a response needs while it is built comes and goes, and a collector's garbage too; what is left when both
are gone is what the server retains.
"""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np

from results.floors import MemoryFloor
from results.records import COLUMN, LoadRecord, Outcome, ServerRecord

#: How many parts a window has.
PARTS = 12


def floors_of(load: LoadRecord, server: ServerRecord) -> list[MemoryFloor]:
    """The floor of each part; empty where a process was not sampled in each of them."""
    edges = np.linspace(load.window_open_ns, load.window_close_ns, PARTS + 1).round().astype(np.int64)
    by_process: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for sample in server.samples:
        by_process[sample.pid].append((sample.at_ns, sample.rss_bytes))
    floors = np.zeros(PARTS, dtype=np.int64)
    for process in server.processes:
        at_ns, rss = np.array(by_process[process.pid], dtype=np.int64).reshape(-1, 2).T
        for part, (begin, end) in enumerate(itertools.pairwise(edges)):
            inside = rss[(at_ns >= begin) & (at_ns < end)]
            if not inside.size:
                return []
            floors[part] += inside.min()
    if not server.processes:
        return []
    verified = load.requests[:, COLUMN["outcome"]] == Outcome.VERIFIED
    ends = np.sort(load.requests[verified, COLUMN["last_ns"]])
    ends = ends[ends >= load.window_open_ns]
    middles = (edges[:-1] + edges[1:]) // 2
    return [
        MemoryFloor(part, int(middle), int(np.searchsorted(ends, middle)), int(floor))
        for part, (middle, floor) in enumerate(zip(middles, floors, strict=True))
    ]
