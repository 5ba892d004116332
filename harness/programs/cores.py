"""Which processor cores the server tree, the load and the harness are pinned to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cores:
    """Core numbers; None where nothing is pinned (one core, or a system without affinity)."""

    server: Sequence[int] | None = None
    load: Sequence[int] | None = None
    harness: Sequence[int] | None = None


def split_cores(loads: int = 1) -> Cores:
    """The cores that this process may use, split so that the load never runs on the server's.

    Each load process is one thread and gets one of the last cores, as far as two are left for the others; the
    harness shares it on two cores and has its own on more. From four cores on, the server is kept off the
    hyper-threads of the load's cores. Without ``loads`` here the last core is the harness's alone.
    """
    if not hasattr(os, "sched_getaffinity"):
        return Cores()
    available = sorted(os.sched_getaffinity(0))
    return divide(available, {core: _siblings(core) for core in available}, loads)


def divide(available: Sequence[int], siblings: dict[int, frozenset[int]], loads: int = 1) -> Cores:
    """The split of these cores; ``siblings`` are the hyper-threads of each core, itself included."""
    if len(available) < 2:
        return Cores()
    last = available[-1]
    if len(available) == 2 or loads == 0:
        return Cores(server=available[:-1], load=[last], harness=[last])
    first = len(available) - min(loads, len(available) - 2)
    load, harness = available[first:], available[first - 1]
    rest = available[: first - 1]
    if len(available) >= 4:
        beside = {sibling for core in load for sibling in siblings[core]}
        rest = [core for core in rest if core not in beside] or rest
    return Cores(server=rest, load=load, harness=[harness])


def _siblings(core: int) -> frozenset[int]:
    listed = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    if not listed.exists():
        return frozenset({core})
    found: set[int] = set()
    for part in listed.read_text().strip().split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return frozenset(found)
