"""Records of several workers become one trial's, each of them once and in the order of their ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xxhash

from harness.loading.merging import load_record
from results.records import COLUMN, REQUEST_FIELDS, Outcome
from scenarios.specification import Address, Download, TrialSpecification

WINDOW_NS = 10**9
ENDS_NS: Sequence[Sequence[int]] = ([500, 100, 100], [], [300, 100, 900, 200])
"""Of each worker's requests, in the order in which it recorded them."""


def test_they_are_in_the_order_of_their_ends_and_workers_keep_theirs() -> None:
    arrays = []
    for worker, ends in enumerate(ENDS_NS):
        array = np.zeros((len(ends), len(REQUEST_FIELDS)), dtype="<i8")
        array[:, COLUMN["worker"]] = worker
        array[:, COLUMN["user"]] = range(len(ends))
        array[:, COLUMN["last_ns"]] = ends
        array[:, COLUMN["outcome"]] = Outcome.VERIFIED
        arrays.append(array)
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
        }
        for worker, array in enumerate(arrays)
    ]
    asked = TrialSpecification(
        Address("127.0.0.1", 9, "GET", "/", (), timeout_s=1, keep_alive=True),
        "merged",
        Download(3),
        0,
        1,
        200,
        0,
        xxhash.xxh3_64_intdigest(b""),
    )
    packed = bytearray(b"".join(array.tobytes() for array in arrays))
    merged = load_record({"shares": shares}, packed, asked).requests
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
