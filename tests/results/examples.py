"""Made-up records whose every value is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from results.case import Case
from results.pss import PssSample
from results.records import (
    COLUMN,
    MISSING,
    REQUEST_FIELDS,
    LoadRecord,
    MemorySample,
    Outcome,
    ProcessMemory,
    RequestArray,
    ServerRecord,
    Slot,
    TrialRecord,
    Verification,
)
from results.run import RunHeader

SECOND = 1_000_000_000
OPEN_NS = 100 * SECOND
CLOSE_NS = 110 * SECOND

WHOLE = Case({"target": "orders", "form": "whole", "server": "gunicorn", "users": 1}, baseline=None)
STREAM = Case(
    {"target": "orders", "form": "stream", "rows": 500, "server": "gunicorn", "users": 1},
    baseline=WHOLE.identity,
)
BROKEN = Case(
    {"target": "no context", "form": "stream", "server": "gunicorn", "users": 1},
    baseline=None,
    expect_failure=True,
)
SLOTS = [
    Slot(0, 0, STREAM.identity),
    Slot(1, 0, WHOLE.identity),
    Slot(2, 0, WHOLE.identity, control=True),
    Slot(3, 1, WHOLE.identity, control=True),
    Slot(4, 1, STREAM.identity),
    Slot(5, 1, WHOLE.identity),
]


def request(**fields: int) -> dict[str, int]:
    """A verified request of 1,000 bytes in the middle of the window: first byte after 1 s, last after 2 s."""
    sent = fields.get("sent_ns", OPEN_NS + SECOND)
    return {
        "worker": 0,
        "user": 0,
        "connection": 40_001,
        "intended_ns": MISSING,
        "late_ns": MISSING,
        "connected_ns": MISSING,
        "sent_ns": sent,
        "headers_ns": sent + SECOND // 2,
        "first_body_ns": sent + SECOND,
        "first_row_ns": sent + SECOND,
        "last_ns": sent + 2 * SECOND,
        "stall_max_ns": SECOND // 4,
        "status": 200,
        "body_bytes": 1000,
        "bytes_at_open": 0,
        "bytes_at_close": 1000,
        "reads": 3,
        "close_delimited": 0,
        "outcome": Outcome.VERIFIED,
    } | fields


def request_array(requests: Sequence[dict[str, int]]) -> RequestArray:
    array = np.full((len(requests), len(REQUEST_FIELDS)), MISSING, dtype=np.int64)
    for row, fields in enumerate(requests):
        for name, value in fields.items():
            array[row, COLUMN[name]] = value
    return array


def load_record(requests: Sequence[dict[str, int]], **changed: Any) -> LoadRecord:
    fields: dict[str, Any] = {
        "window_open_ns": OPEN_NS,
        "window_close_ns": CLOSE_NS,
        "drained_ns": CLOSE_NS + SECOND,
        "requests": request_array(requests),
        "errors": {},
        "client_cpu_ns": SECOND // 3,
        "client_wall_ns": 11 * SECOND,
    }
    return LoadRecord(**fields | changed)


def process_memory(pid: int, **changed: Any) -> ProcessMemory:
    fields: dict[str, Any] = {
        "role": "worker",
        "rss_at_reset_bytes": 30_000_000,
        "hwm_bytes": 40_000_000,
        "rss_at_end_bytes": 35_000_000,
        "sampled_peak_bytes": 38_000_000,
        "rss_settled_bytes": 33_000_000,
        "pss_at_reset_bytes": 21_000_000,
        "pss_at_end_bytes": 22_000_000,
    }
    return ProcessMemory(pid, **fields | changed)


def server_record(processes: Sequence[ProcessMemory], **changed: Any) -> ServerRecord:
    fields: dict[str, Any] = {
        "ran_as": "sync",
        "cpu_ns": 3 * SECOND,
        "processes": processes,
        "samples": [],
        "machine_steal": 0.25,
        "machine_throttled_ns": 17,
        "memory_method": "VmHWM after clear_refs",
        "cpu_method": "process CPU clocks",
        "pss_samples": [
            PssSample(OPEN_NS - SECOND, 7, 21_000_000),
            PssSample(OPEN_NS - SECOND // 2, 5, 44_000_000),
            PssSample(CLOSE_NS + SECOND, 6, 22_000_000),
        ],
        "pss_method": "PSS of the tree",
    }
    return ServerRecord(**fields | changed)


def trial_record(position: int, **changed: Any) -> TrialRecord:
    """A valid trial with two requests (one failed), a master and a worker, and two figures."""
    failed = request(outcome=Outcome.TRUNCATED, first_row_ns=MISSING, last_ns=MISSING, user=1)
    fields: dict[str, Any] = {
        "started_utc": "2031-02-03T04:05:06.789+00:00",
        "started_ns": OPEN_NS - SECOND,
        "finished_ns": CLOSE_NS + 2 * SECOND,
        "reason": None,
        "load": load_record([request(), failed], errors={"cut off, “hard”": 1}),
        "server": server_record(
            [process_memory(7, role="master", hwm_bytes=None), process_memory(8)],
            samples=[
                MemorySample(7, OPEN_NS, 1),
                MemorySample(8, OPEN_NS, 2),
                MemorySample(8, OPEN_NS + 1, 3),
            ],
        ),
        "figures": {"ttfb_p50": 12.5, "ttfb_p95": None},
        "server_output": "ready\n\x1b[31mé\n",
    }
    return TrialRecord(position, **fields | changed)


def verification(**changed: Any) -> Verification:
    fields: dict[str, Any] = {
        "status": 200,
        "body_bytes": 1000,
        "digest": "00ff00ff00ff00ff",
        "framing": "chunked",
        "chunks": 40,
        "first_chunk_bytes": 100,
        "median_chunk_bytes": 25,
        "failure": None,
    }
    return Verification(**fields | changed)


def run_header(**changed: Any) -> RunHeader:
    fields: dict[str, Any] = {
        "run_id": "r1",
        "created_utc": "2031-02-03T04:05:06+00:00",
        "suite": "orders",
        "suite_toml": 'name = "orders" # “letter for letter”\r\n',
        "seed": 2**31 - 1,
        "blocks": 2,
        "warmup_s": 0.1,
        "window_s": 10.0,
        "version": "0.1.0",
        "command": ["streamgauge", "run", "a b"],
        "cases": [WHOLE, STREAM, BROKEN],
        "slots": SLOTS,
        "environment": {"cpu": "x", "packages": {"flask": "3"}, "dirty": None, "cores": [0, 1]},
    }
    return RunHeader(**fields | changed)
