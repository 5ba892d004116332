"""The records that travel from the load driver to the store: requests, processes, trials."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from results.faults import Fault
from results.sides import Side

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from results.drops import LineDrops
    from results.floors import MemoryFloor
    from results.pss import PssSample
    from results.workers import WorkerShare

#: Shape (requests, fields of REQUEST_FIELDS), int64. A name for type checkers: NumPy is not imported here.
RequestArray: TypeAlias = "npt.NDArray[np.int64]"
#: Shape (hang-ups, 3), int64: see `results.follow_ups`.
FollowUpArray: TypeAlias = "npt.NDArray[np.int64]"


class Outcome(IntEnum):
    """How one request ended. Only VERIFIED counts, and HUNG_UP where that was planned.

    Everything else is a failure, never a fast success.
    """

    VERIFIED = 0
    CONNECT_FAILED = 1
    TIMED_OUT = 2
    RESET = 3
    TRUNCATED = 4
    MALFORMED = 5
    WRONG_STATUS = 6
    WRONG_LENGTH = 7
    WRONG_BYTES = 8
    UNFINISHED = 9
    """Not judged: the record was made before the response was through. A driver never hands one over."""
    HUNG_UP = 10
    """The client left in the middle, as planned; what had come by then was right."""
    NOT_HUNG_UP = 11
    """The response was through before the client could leave in its middle."""

    @property
    def label(self) -> str:
        """The name that stores and reports show."""
        return self.name.lower().replace("_", "-")


#: How a request ends that did what it was sent for.
AS_PLANNED: Final = frozenset({Outcome.VERIFIED, Outcome.HUNG_UP})
#: The same by the names that stores show.
AS_PLANNED_LABELS: Final = frozenset(outcome.label for outcome in AS_PLANNED)


#: The fields of one request, in order; every field is a signed 64-bit integer. Instants (``*_ns``)
#: are CLOCK_MONOTONIC nanoseconds. ``worker`` is the number of the load process that made it
#: (`results.workers`), 0 where there is one only, and ``user`` one of its users. ``connection`` is the local
#: TCP port, by which a server's own books can be joined. MISSING stands for null; it never enters the store.
REQUEST_FIELDS: Final = (
    "worker",
    "user",
    "connection",
    "intended_ns",
    "late_ns",
    "connected_ns",
    "sent_ns",
    "headers_ns",
    "first_body_ns",
    "first_row_ns",
    "last_ns",
    "stall_max_ns",
    "client_lag_ns",
    "stamp_error_ns",
    "status",
    "body_bytes",
    "bytes_at_open",
    "bytes_at_close",
    "reads",
    "close_delimited",
    "outcome",
)
MISSING: Final = -1
REQUEST_STRUCT: Final = struct.Struct(f"<{len(REQUEST_FIELDS)}q")
#: Column number of each field in a `RequestArray`.
COLUMN: Final[Mapping[str, int]] = {name: index for index, name in enumerate(REQUEST_FIELDS)}


def unpack_requests(packed: bytes | bytearray | memoryview) -> RequestArray:
    """Packed records, in their place, as an array of shape (requests, fields), int64, in order of arrival."""
    import numpy as np  # noqa: PLC0415  - the driver packs only, and stays small without NumPy

    return np.frombuffer(packed, dtype="<i8").reshape(-1, len(REQUEST_FIELDS))


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """What the kernel says of one process of the server tree, in bytes.

    ``hwm_bytes`` is null where the kernel has no resettable high-water mark (macOS). The end is that of
    the drain; ``rss_settled_bytes`` is read a settle time later. PSS is null where it cannot be read.
    """

    pid: int
    role: str
    rss_at_reset_bytes: int
    hwm_bytes: int | None
    rss_at_end_bytes: int
    sampled_peak_bytes: int
    rss_settled_bytes: int | None = None
    pss_at_reset_bytes: int | None = None
    pss_at_end_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class MemorySample:
    """RSS of one process at one instant (CLOCK_MONOTONIC ns)."""

    pid: int
    at_ns: int
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class OthersRecord:
    """The small requests that others asked beside the streams of one trial, in an open loop of their own.

    ``requests`` has the shape of `LoadRecord`'s. They begin at ``begin_ns``, and are alone until
    ``streams_begin_ns``; the schedule ends with the window. One that has no answer after ``patience_ns`` is
    given up. ``errors`` counts failure texts.
    """

    begin_ns: int
    streams_begin_ns: int
    patience_ns: int
    requests: RequestArray
    errors: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """What the load driver saw in one trial.

    ``requests`` has the shape (requests, fields of REQUEST_FIELDS). ``errors`` counts failure texts.
    ``client_cpu_ns`` is the driver's own CPU time over ``client_wall_ns``. ``clock_drift_ns`` is by how much
    the wall clock, which stamps arrivals in the kernel, moved against CLOCK_MONOTONIC over
    ``clock_span_ns``, and ``clock_bend_ns`` how far it was off an even drift at the window's edges (not
    stored); null where arrivals are stamped by the event loop. ``client_scheduling`` is the driver's
    scheduling policy (sched(7)). ``others`` are the small requests beside the streams, null without any.
    ``reading_bytes_per_second`` is the pace of a reader who takes no more (not stored), null without one.
    ``follow_ups`` are the small requests after hang-ups (`results.follow_ups`), null where nobody hangs up.

    ``workers`` are the shares of several load processes, empty where the run's own driver made the load
    alone. All instants are then in the harness's clock (`harness.loading.merging`), ``client_*`` are of the
    process that used most of its time, and ``clock_*`` of the one whose clock was worst.
    """

    window_open_ns: int
    window_close_ns: int
    drained_ns: int
    requests: RequestArray
    errors: Mapping[str, int]
    client_cpu_ns: int
    client_wall_ns: int
    clock_drift_ns: int | None = None
    clock_span_ns: int | None = None
    clock_bend_ns: int | None = None
    client_scheduling: str = "SCHED_OTHER"
    follow_ups: FollowUpArray | None = None
    others: OthersRecord | None = None
    reading_bytes_per_second: float | None = None
    workers: Sequence[WorkerShare] = ()


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """What was watched on the server's side in one trial.

    ``ran_as`` is the kind that the server itself said it ran as (gunicorn: its worker class). ``cpu_ns``
    is the CPU time of all threads of the tree from the reset to the end of the drain.
    ``machine_*`` are the shares (0 to 1) of that time that the hypervisor took, and the time for which a
    cgroup held the tree back; null where the kernel does not tell. ``pss_samples`` are the tree's: before
    the load, in the warm-up, and one after the drain; ``pss_method`` says how, or why they tell nothing.
    """

    ran_as: str | None
    cpu_ns: int
    processes: Sequence[ProcessMemory]
    samples: Sequence[MemorySample]
    machine_steal: float | None
    machine_throttled_ns: int | None
    memory_method: str
    cpu_method: str
    pss_samples: Sequence[PssSample] = ()
    pss_method: str = "not told: nobody asked"


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One case measured once. ``reason`` says why a trial is not valid, ``fault`` by name; null when it is.

    ``figures`` are the trial's numbers by the names of `results.metrics.FIGURES`; a figure that the
    trial cannot give is null. ``floors`` is the memory floor of each part of a soak's window. ``line_drops``
    is what its line dropped, null where that has no queue.
    """

    position: int
    started_utc: str
    started_ns: int
    finished_ns: int
    reason: str | None
    load: LoadRecord | None = None
    server: ServerRecord | None = None
    figures: Mapping[str, float | None] = field(default_factory=dict)
    server_output: str = ""
    floors: Sequence[MemoryFloor] = ()
    fault: Fault | None = None
    line_drops: LineDrops | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """What one case answered when it was asked once, before anything was timed.

    ``digest`` is the body's xxh3_64 as 16 hex digits. ``framing`` is how the body's end was marked:
    ``chunked``, ``length`` or ``close``. The chunk figures are those of the wire's chunks and null when
    the response is not chunked. ``failure`` says how the response failed, null when it came whole.

    ``body_bytes`` and ``digest`` are those of the content: a Content-Encoding of gzip, deflate, br or zstd is
    undone. ``others_*`` are the same of the small response that others ask beside this case, null without.
    ``prefix_digest`` is the hash of the first ``prefix_bytes``, which a client that hangs up reads; null
    where nobody does.
    """

    status: int | None
    body_bytes: int
    digest: str
    framing: str
    chunks: int | None
    first_chunk_bytes: int | None
    median_chunk_bytes: int | None
    failure: str | None
    prefix_bytes: int | None = None
    prefix_digest: str | None = None
    others_status: int | None = None
    others_body_bytes: int | None = None
    others_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in the plan: which case is measured at this position of this block.

    ``control`` marks the second measurement of a baseline, the A/A control. ``side`` is the revision of the
    app, null in a run. ``confirming``: of an ab's second, independent set of blocks.
    """

    position: int
    block: int
    case: str
    control: bool = False
    side: Side | None = None
    confirming: bool = False

    @property
    def place(self) -> tuple[int, str, bool, Side | None, bool]:
        """What slots have in common that stand for one measurement: one, and those that repeat it."""
        return (self.block, self.case, self.control, self.side, self.confirming)
