"""A stored run whose truth is known in all that a report shows: figures, requests, memory and traces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from results.case import Case
from results.records import (
    COLUMN,
    MISSING,
    LoadRecord,
    MemorySample,
    OthersRecord,
    Outcome,
    RequestArray,
    ServerRecord,
    Slot,
    Verification,
)
from results.store import Store
from results.trace import PointArray, Trace, Waterfall
from tests.analysis.examples import calibrated
from tests.results.examples import (
    CLOSE_NS,
    OPEN_NS,
    STREAM,
    WHOLE,
    load_record,
    process_memory,
    request,
    request_array,
    run_header,
    server_record,
    trial_record,
    verification,
)

MS = 1_000_000
KIB = 2**10
MIB = 2**20
RESET_BYTES = 30 * MIB
#: What a quiet machine does to each block.
NOISE = (1.002, 0.994, 1.009, 1.0, 0.991, 1.005, 0.997, 1.003)
#: TTFBs of a trial lie evenly between these shares of its median.
LEAST, MOST = 0.9, 1.1
#: What sampling does not see of each peak.
MISSED_BYTES = 256 * KIB
SAMPLES = 50
PATIENCE_NS = 1000 * MS
#: So many small requests come alone, and as many beside streams.
OTHERS = 20
#: What the server of a trial that does not count printed.
SERVER_OUTPUT = "the server's last words"


@dataclass(frozen=True, slots=True)
class Truth:
    """What one case is like on a quiet machine.

    ``chunk_bytes`` is null where the body is not chunked; ``yielded_bytes`` is what its traced trial saw in
    place of them, and ``note`` what that trial cannot show. ``schedule_ms``, by which a request is sent later
    than its schedule wanted it, is null in a closed loop.
    """

    case: Case
    ttfb_ms: float
    rate: float = 30e6
    memory_mib: float = 5.0
    cpu_ms_per_mb: float = 30.0
    chunk_bytes: int | None = None
    yielded_bytes: float | None = None
    note: str | None = None
    schedule_ms: float | None = None
    body_bytes: int = 1_000_000
    others_ms: tuple[float, float] | None = None
    """What small requests beside it wait, alone and then; those that would wait for 1 s are given up."""

    def figures(self, noise: float) -> dict[str, float | None]:
        """Of a trial in a block with this noise."""
        since = None if self.schedule_ms is None else (self.ttfb_ms * noise + self.schedule_ms) * MS
        return {
            "ttfb_effective_p50": since,
            "ttfb_p50": self.ttfb_ms * MS * noise,
            "ttfb_p95": self.ttfb_ms * MS * noise * (LEAST + 0.95 * (MOST - LEAST)),
            "ttlb_p50": (self.ttfb_ms + 40) * MS * noise,
            "throughput": self.rate / noise,
            "peak_memory": self.memory_mib * MIB,
            "peak_missed": float(MISSED_BYTES),
            "cpu_per_mb": self.cpu_ms_per_mb * MS * noise,
            **self._of_others(noise),
        }

    def _of_others(self, noise: float) -> dict[str, float | None]:
        if self.others_ms is None:
            return {}
        alone, beside = (min(wait * MS * noise, PATIENCE_NS) for wait in self.others_ms)
        held = 2 * self.others_ms[1] * MS * noise
        unanswered = float(self.others_ms[1] * MS >= PATIENCE_NS)
        return {
            "others_alone_ttlb_p50": alone,
            "others_ttlb_p50": beside,
            "others_ttlb_p95": beside,
            "worker_held": held,
            "others_unanswered": unanswered,
        }


def stream(rows: int, **parameters: int | str) -> Case:
    """The stream of WHOLE with so many rows a chunk."""
    return Case({**STREAM.parameters, "rows": rows, **parameters}, baseline=WHOLE.identity)


#: The stream pays, costs nothing, and 50 rows are enough: 5 lose throughput, 500 a first byte.
PAYS = (
    Truth(WHOLE, 50),
    Truth(stream(5), 1, rate=12e6, memory_mib=0.5, cpu_ms_per_mb=80, chunk_bytes=500),
    Truth(stream(50), 1, memory_mib=0.5, cpu_ms_per_mb=20, chunk_bytes=5_000),
    Truth(stream(500), 2, memory_mib=1, cpu_ms_per_mb=20, chunk_bytes=50_000),
)


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A trial that does not count, and what its server said."""

    reason: str
    output: str = SERVER_OUTPUT


def make_known_run(
    path: Path,
    truths: Sequence[Truth] = PAYS,
    *,
    blocks: int = 8,
    requests: int = 40,
    traced: Sequence[Truth] | None = None,
    trace_points: int = 20,
    spoilt: Mapping[int, Spoilt] | None = None,
    trials: int | None = None,
    error_ms: float | None = None,
    cases: Sequence[Case] | None = None,
    without: Sequence[str] = (),
    **header: Any,
) -> Path:
    """Store a run of these cases; each block measures them in order, each whole form twice.

    ``traced`` are the cases with a traced trial (all), ``spoilt`` the invalid trials by position, ``trials``
    how many of the plan are measured (all, and the run is finished), ``error_ms`` the client's own error
    (not calibrated), ``cases`` those of the header, where some are not timed. The figures ``without``
    are null.
    """
    slots = [
        Slot(position, block, case.identity, control)
        for position, (block, case, control) in enumerate(
            (block, case, control)
            for block in range(blocks)
            for case in (truth.case for truth in truths)
            for control in ((False, True) if case.is_baseline else (False,))
        )
    ]
    by_identity = {truth.case.identity: truth for truth in truths}
    made = run_header(
        **{
            "cases": list(cases or [truth.case for truth in truths]),
            "slots": slots,
            "blocks": blocks,
            "command": ["streamgauge", "run", "orders.toml"],
        }
        | header
    )
    with Store.create(path, made) as store:
        store.add_verifications({truth.case.identity: _verified(truth) for truth in truths})
        if error_ms is not None:
            store.add_calibration([calibrated(error_ms * MS)])
        for slot in slots[:trials]:
            truth, noise = by_identity[slot.case], NOISE[slot.block % len(NOISE)]
            bad = (spoilt or {}).get(slot.position)
            store.add_trial(
                trial_record(
                    slot.position,
                    reason=bad.reason if bad else None,
                    load=_load(truth, noise, requests, failed=bad is not None),
                    server=_server(truth),
                    figures=truth.figures(noise) | dict.fromkeys(without),
                    server_output=bad.output if bad else "ready\n",
                )
            )
        if trials is None:
            for truth in truths if traced is None else traced:
                store.add_trace(_traced(truth, trace_points))
            store.finish("2031-02-03T05:00:00+00:00")
    return path


def first_bytes_ns(truth: Truth, noise: float, requests: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The TTFBs of one trial, shortest first."""
    shares = np.linspace(LEAST, MOST, requests)
    return np.rint(truth.ttfb_ms * MS * noise * shares).astype(np.int64)


def _verified(truth: Truth) -> Verification:
    chunk = truth.chunk_bytes
    return verification(
        body_bytes=truth.body_bytes,
        framing="chunked" if chunk else "length",
        chunks=truth.body_bytes // chunk if chunk else None,
        first_chunk_bytes=chunk + 155 if chunk else None,
        median_chunk_bytes=chunk,
    )


def _load(truth: Truth, noise: float, requests: int, *, failed: bool) -> LoadRecord:
    first = first_bytes_ns(truth, noise, requests)
    array: RequestArray = np.full((requests, len(COLUMN)), MISSING, dtype=np.int64)
    sent = np.linspace(OPEN_NS, CLOSE_NS - 1, requests).astype(np.int64)
    body = sent + first
    values: Mapping[str, Any] = {
        "worker": 0,
        "user": 0,
        "connection": 40_001,
        "sent_ns": sent,
        "headers_ns": sent + first // 2,
        "first_body_ns": body,
        "first_row_ns": body,
        "last_ns": body + 40 * MS,
        "stall_max_ns": MS,
        "client_lag_ns": 20_000,
        "stamp_error_ns": 10_000,
        "status": 200,
        "body_bytes": truth.body_bytes,
        "bytes_at_open": 0,
        "bytes_at_close": truth.body_bytes,
        "reads": 20,
        "close_delimited": 0,
        "outcome": Outcome.VERIFIED,
    }
    for name, value in values.items():
        array[:, COLUMN[name]] = value
    errors = {}
    if failed:
        array[0, COLUMN["outcome"]] = Outcome.TRUNCATED
        errors = {"the body ended after 7 bytes": 1}
    return replace(load_record([], errors=errors), requests=array, others=_others(truth, noise))


def _others(truth: Truth, noise: float) -> OthersRecord | None:
    if truth.others_ms is None:
        return None
    second = 1000 * MS
    begin, between = OPEN_NS - 2 * second, OPEN_NS - second
    rows = []
    for start, end, wait_ms in zip((begin, OPEN_NS), (between, CLOSE_NS), truth.others_ms, strict=True):
        waited = round(wait_ms * MS * noise)
        given_up = waited >= PATIENCE_NS
        rows += [
            request(
                intended_ns=intended,
                sent_ns=intended,
                last_ns=MISSING if given_up else intended + waited,
                outcome=Outcome.TIMED_OUT if given_up else Outcome.VERIFIED,
            )
            for intended in np.linspace(start, end - 1, OTHERS).astype(int).tolist()
        ]
    errors = {"no complete response within 1 s": OTHERS} if truth.others_ms[1] >= 1000 else {}
    return OthersRecord(begin, between, PATIENCE_NS, request_array(rows), errors)


def _server(truth: Truth) -> ServerRecord:
    """A worker that grows evenly up to what sampling sees, while its mark goes beyond."""
    peak = round(truth.memory_mib * MIB)
    seen = np.linspace(RESET_BYTES, RESET_BYTES + peak - MISSED_BYTES, SAMPLES).astype(int)
    instants = np.linspace(OPEN_NS, CLOSE_NS, SAMPLES).astype(int)
    worker = process_memory(8, rss_at_reset_bytes=RESET_BYTES, hwm_bytes=RESET_BYTES + peak)
    return server_record(
        [process_memory(7, role="master", hwm_bytes=None), worker],
        samples=[MemorySample(8, int(at), int(rss)) for at, rss in zip(instants, seen.tolist(), strict=True)],
    )


def _traced(truth: Truth, points: int) -> Trace:
    """A chunk each millisecond, read a fifth of that after its yield; a whole form comes at once."""
    first = round(truth.ttfb_ms * MS)
    number = np.arange(points if truth.chunk_bytes or truth.yielded_bytes else 1)
    sizes = truth.body_bytes * (number + 1) // len(number)
    yields: PointArray = np.stack([number, first + MS * number, sizes], axis=1)
    reads: PointArray = np.stack([number, yields[:, 1] + MS // 5, sizes, np.full(len(number), 1000)], axis=1)
    return Trace(
        truth.case.identity,
        "2031-02-03T04:59:00+00:00",
        reason=None,
        note=truth.note,
        figures={
            "yields": float(len(number)),
            "chunk": truth.yielded_bytes,
            "delivery_lag_p50": MS / 5,
            "held": 0.0,
            "held_to_end": 0.0,
        },
        waterfall=Waterfall(1, yields, reads),
    )
