"""One trial's records from what each load process handed over, with nothing lost and no clock mixed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from results.calibration import ServerTruth, unpack_truth
from results.errors import MeasurementError
from results.follow_ups import unpack_follow_ups
from results.records import (
    COLUMN,
    MISSING,
    REQUEST_STRUCT,
    FollowUpArray,
    LoadRecord,
    OthersRecord,
    Outcome,
    RequestArray,
    unpack_requests,
)
from results.workers import WorkerShare
from scenarios.specification import HangUp, SlowReader, TrialSpecification

#: The instants of a request, in the clock of the machine that made it; all other fields are no instants.
_INSTANTS = (
    "intended_ns",
    "connected_ns",
    "sent_ns",
    "headers_ns",
    "first_body_ns",
    "first_row_ns",
    "last_ns",
)
#: Those of them that are kernel stamps.
_STAMPED = ("headers_ns", "first_body_ns", "first_row_ns", "last_ns")


class RecordsLost(MeasurementError):  # noqa: N818  - named for what happened
    """The two sides of a connection count different records: the trial does not count."""


def load_record(
    answer: Mapping[str, Any], packed: bytearray, specification: TrialSpecification
) -> LoadRecord:
    """What the load saw in one trial. Raises RecordsLost when any two sides count differently.

    The instants of each worker's records are turned into those of our own clock by its offset: all of one
    worker by the same number, so that durations, and what lay inside its window, stay exactly as they were.
    """
    shares: Sequence[Mapping[str, Any]] = answer["shares"]
    unpacked = _unpacked(shares, memoryview(packed), specification)
    busiest = max(shares, key=lambda share: share["client_cpu_ns"] / max(share["client_wall_ns"], 1))
    stepped = max(shares, key=lambda share: share["clock_bend_ns"] or 0)
    load = specification.load
    return LoadRecord(
        window_open_ns=shares[0]["window_open_ns"] - _offset_ns(shares[0]),
        window_close_ns=shares[0]["window_close_ns"] - _offset_ns(shares[0]),
        drained_ns=max(share["drained_ns"] - _offset_ns(share) for share in shares),
        requests=_joined([item.requests for item in unpacked]),
        errors=_counted(share["errors"] for share in shares),
        client_cpu_ns=busiest["client_cpu_ns"],
        client_wall_ns=busiest["client_wall_ns"],
        clock_drift_ns=stepped["clock_drift_ns"],
        clock_span_ns=stepped["clock_span_ns"],
        clock_bend_ns=stepped["clock_bend_ns"],
        client_scheduling=busiest["client_scheduling"],
        follow_ups=_joined_follow_ups(unpacked) if isinstance(load, HangUp) else None,
        others=None if specification.others is None else _others(shares, unpacked),
        reading_bytes_per_second=load.bytes_per_second if isinstance(load, SlowReader) else None,
        workers=_shares_of(shares, answer["workers"]) if "workers" in answer else (),
    )


def own_record(
    answer: Mapping[str, Any], packed: bytearray, specification: TrialSpecification
) -> tuple[LoadRecord, ServerTruth | None]:
    """The same of one worker alone, in its own clock; and what the reference server of its machine knows.

    Null where it asked another one. Raises RecordsLost.
    """
    (share,) = answer["shares"]
    own = {**share, "offset_ns": 0, "offset_bound_ns": 0}
    record = load_record({"shares": [own]}, packed, specification)
    truth_bytes = share["truth_bytes"]
    return record, unpack_truth(bytes(packed[-truth_bytes:])) if truth_bytes else None


class _Unpacked:
    """One worker's records as arrays, in our clock. Raises RecordsLost where some are missing."""

    def __init__(
        self, share: Mapping[str, Any], packed: memoryview, specification: TrialSpecification
    ) -> None:
        if share.get("sent_bytes", len(packed)) != len(packed):
            raise RecordsLost(
                f"worker {share['worker']} handed over {share['sent_bytes']:,} bytes of records, and "
                f"{len(packed):,} arrived"
            )
        streams_end = share["recorded"] * REQUEST_STRUCT.size
        behind = packed[streams_end : len(packed) - share.get("truth_bytes", 0)]
        self.requests = _whole(packed[:streams_end], share, share)
        self.others = None if share["others"] is None else _whole(behind, share["others"], share)
        self.follow_ups: FollowUpArray | None = None
        if isinstance(specification.load, HangUp):
            self.follow_ups = _shifted(unpack_follow_ups(behind), [0, 1], _offset_ns(share))


def _unpacked(
    shares: Sequence[Mapping[str, Any]], packed: memoryview, specification: TrialSpecification
) -> list[_Unpacked]:
    found, begin = [], 0
    for share in shares:
        end = begin + share["arrived_bytes"]
        found.append(_Unpacked(share, packed[begin:end], specification))
        begin = end
    return found


def _whole(packed: memoryview, counted: Mapping[str, Any], share: Mapping[str, Any]) -> RequestArray:
    """The corrected requests. Raises RecordsLost where they are not as many as the driver ``counted``."""
    if len(packed) % REQUEST_STRUCT.size:
        raise RecordsLost(f"of {counted['recorded']} records the last one arrived in part")
    requests = corrected(unpack_requests(packed), share)
    if not len(requests) == counted["recorded"] == counted["issued"]:
        raise RecordsLost(
            f"the load driver issued {counted['issued']} requests and recorded {counted['recorded']}, "
            f"and {len(requests)} records arrived"
        )
    return _shifted(requests, [COLUMN[name] for name in _INSTANTS], _offset_ns(share))


def _shifted(records: npt.NDArray[np.int64], columns: Sequence[int], offset_ns: int) -> npt.NDArray[np.int64]:
    """The records, in whose place these instants are made those of our clock; missing ones stay so."""
    if offset_ns:
        instants = records[:, columns]
        records[:, columns] = np.where(instants == MISSING, instants, instants - offset_ns)
    return records


def _joined(parts: Sequence[RequestArray]) -> RequestArray:
    """All requests in the order of their last instants, as one process would have recorded them."""
    if len(parts) == 1:
        return parts[0]  # of a long trial hundreds of megabytes: no copy is made
    order = np.argsort(np.concatenate([part[:, COLUMN["last_ns"]] for part in parts]), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    joined: RequestArray = np.empty((len(order), parts[0].shape[1]), dtype=parts[0].dtype)
    begin = 0
    for part in parts:  # each goes where it belongs at once: there is one copy, and not another one in order
        joined[place[begin : begin + len(part)]] = part
        begin += len(part)
    return joined


def _joined_follow_ups(unpacked: Sequence[_Unpacked]) -> FollowUpArray:
    joined: FollowUpArray = np.concatenate(
        [item.follow_ups for item in unpacked if item.follow_ups is not None]
    )
    return joined


def _others(shares: Sequence[Mapping[str, Any]], unpacked: Sequence[_Unpacked]) -> OthersRecord:
    told, offset_ns = shares[0]["others"], _offset_ns(shares[0])
    return OthersRecord(
        begin_ns=told["begin_ns"] - offset_ns,
        streams_begin_ns=told["streams_begin_ns"] - offset_ns,
        patience_ns=told["patience_ns"],
        requests=_joined([item.others for item in unpacked if item.others is not None]),
        errors=_counted(share["others"]["errors"] for share in shares),
    )


def _counted(errors: Iterable[Mapping[str, int]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for item in errors:
        counts.update(item)
    return dict(counts)


def _offset_ns(share: Mapping[str, Any]) -> int:
    return int(share.get("offset_ns", 0))


def _shares_of(
    shares: Sequence[Mapping[str, Any]], workers: Sequence[Mapping[str, Any]]
) -> list[WorkerShare]:
    described = {worker["number"]: worker for worker in workers}
    return [
        WorkerShare(
            worker=share["worker"],
            requests=share["recorded"],
            client_cpu_ns=share["client_cpu_ns"],
            client_wall_ns=share["client_wall_ns"],
            clock_drift_ns=share["clock_drift_ns"],
            clock_span_ns=share["clock_span_ns"],
            client_scheduling=share["client_scheduling"],
            offset_ns=share["offset_ns"],
            offset_bound_ns=share["offset_bound_ns"],
            machine_steal=share["machine_steal"],
            machine_throttled_ns=share["machine_throttled_ns"],
            clock_bend_ns=share["clock_bend_ns"],
            name=f"{share['worker']} ({described[share['worker']]['name']})",
            place=_place(described[share["worker"]], share["machine"]),
        )
        for share in shares
    ]


def _place(worker: Mapping[str, Any], machine: str) -> str:
    """The core of a machine that a worker is pinned to; for one that is not, a core of its own is taken."""
    core = worker["core"]
    return f"worker {worker['number']}" if core is None else f"core {core} of {machine}"


def corrected(requests: RequestArray, answer: Mapping[str, Any]) -> RequestArray:
    """The requests, in whose place kernel stamps are corrected for the wall clock's drift since the anchor.

    A clock that is slewed moves evenly; a step is told by `harness.trials.validity`. The instant of a hang-up
    is no stamp.
    """
    if not answer["clock_drift_ns"]:
        return requests
    for name in _STAMPED:
        instants = requests[:, COLUMN[name]]
        shifted = instants - shift_ns(instants, answer)
        unstamped = instants == MISSING
        if name == "last_ns":
            unstamped |= requests[:, COLUMN["outcome"]] == Outcome.HUNG_UP
        requests[:, COLUMN[name]] = np.where(unstamped, instants, shifted)
    return requests


def shift_ns(instants: npt.NDArray[np.int64], answer: Mapping[str, Any]) -> npt.NDArray[np.int64]:
    """By how much (ns) the wall clock had moved at these instants since the trial's anchor."""
    since = instants - answer["clock_begun_ns"]
    shift: npt.NDArray[np.float64] = np.rint(since * (answer["clock_drift_ns"] / answer["clock_span_ns"]))
    return shift.astype(np.int64)
