"""Records of several workers become one trial's, each of them once and in the order of their ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from harness.loading.merging import load_record
from results.records import COLUMN, REQUEST_FIELDS, LoadRecord, Outcome
from scenarios.specification import Address, Download, TrialSpecification

WINDOW_NS = 10**9
ENDS_NS: Sequence[Sequence[int]] = ([500, 100, 100], [], [300, 100, 900, 200])
"""Of each worker's requests, in the order in which it recorded them."""


ASKED = TrialSpecification(
    Address("127.0.0.1", 9, "GET", "/", (), timeout_s=1, keep_alive=True),
    "merged",
    Download(3),
    0,
    1,
    200,
    0,
    xxhash.xxh3_64_intdigest(b""),
)


def records(worker: int, ends_ns: Sequence[int]) -> npt.NDArray[np.int64]:
    array = np.zeros((len(ends_ns), len(REQUEST_FIELDS)), dtype="<i8")
    array[:, COLUMN["worker"]] = worker
    array[:, COLUMN["user"]] = range(len(ends_ns))
    array[:, COLUMN["last_ns"]] = ends_ns
    array[:, COLUMN["outcome"]] = Outcome.VERIFIED
    return array


def handed_over(arrays: Sequence[npt.NDArray[np.int64]], **told: Any) -> LoadRecord:
    """What becomes of these records, one array a worker's, with what each of them told of itself."""
    shares: list[dict[str, Any]] = [
        {
            "worker": worker,
            "window_open_ns": 0,
            "window_close_ns": WINDOW_NS,
            "drained_ns": WINDOW_NS,
            "issued": len(array),
            "recorded": len(array),
            "errors": {},
            "client_cpu_ns": 1,
            "client_wall_ns": WINDOW_NS,
            "client_scheduling": "SCHED_OTHER",
            "clock_begun_ns": 0,
            "clock_drift_ns": None,
            "clock_span_ns": None,
            "clock_bend_ns": None,
            "others": None,
            "sent_bytes": array.nbytes,
            "arrived_bytes": array.nbytes,
            "offset_ns": 0,
            "offset_bound_ns": 0,
            "machine_steal": None,
            "machine_throttled_ns": None,
            "machine": f"boot-{worker}",
        }
        for worker, array in enumerate(arrays)
    ]
    packed = bytearray(b"".join(array.tobytes() for array in arrays))
    return load_record({"shares": shares, **told}, packed, ASKED)


def test_they_are_in_the_order_of_their_ends_and_workers_keep_theirs() -> None:
    merged = handed_over([records(worker, ends) for worker, ends in enumerate(ENDS_NS)]).requests
    seen = [
        tuple(row) for row in merged[:, [COLUMN[name] for name in ("last_ns", "worker", "user")]].tolist()
    ]
    assert seen == [
        (100, 0, 1),
        (100, 0, 2),
        (100, 2, 1),
        (200, 2, 3),
        (300, 2, 0),
        (500, 0, 0),
        (900, 2, 2),
    ]


def test_machines_of_one_name_are_two_and_so_are_their_workers() -> None:
    """Cloned machines: who takes the one's core for the other's finds it busy twice."""
    workers = [{"number": number, "name": "vm/0", "host": "vm", "core": 1} for number in (0, 1)]
    found = handed_over([records(0, [1]), records(1, [2])], workers=workers).workers
    assert len({share.place for share in found}) == 2
    assert [share.name for share in found] == ["0 (vm/0)", "1 (vm/0)"]
