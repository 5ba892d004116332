"""The harness's end of the load driver: one child process that lives as long as the run."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from harness.processes import OwnedProcess, Processes
from harness.scheduling import DRIVER, ORDINARY, first_in_line
from results.errors import MeasurementError
from results.faults import Fault
from results.follow_ups import unpack_follow_ups
from results.records import (
    COLUMN,
    MISSING,
    REQUEST_STRUCT,
    LoadRecord,
    OthersRecord,
    Outcome,
    RequestArray,
    Verification,
    unpack_requests,
)
from results.trace import PointArray
from scenarios.link import Link, LinkClosed, LinkSilent
from scenarios.specification import (
    POINT_NUMBERS,
    FetchSpecification,
    HangUp,
    SlowReader,
    Specification,
    TraceSpecification,
    TrialSpecification,
    to_message,
)

#: Importing Locust on a busy machine takes a while.
START_TIMEOUT_S = 60.0
#: So many drivers in a row that die or hang are no accident.
_MOST_FAILURES = 3


class LoadFailed(MeasurementError):  # noqa: N818  - named for what happened
    """The load driver died or hangs: nothing came of what it was asked. The next time a new one is."""

    def __init__(self, message: str, fault: Fault) -> None:
        super().__init__(message)
        self.fault = fault


class LoadGivenUp(LoadFailed):
    """Several load drivers in a row: no further trial can be measured."""


class RecordsLost(MeasurementError):  # noqa: N818  - named for what happened
    """The two sides of the link count different records: the trial does not count."""


@dataclass(frozen=True, slots=True)
class TracedLoad:
    """What the load driver saw in one traced trial.

    ``reads`` has for each request an array of shape (reads, 3): arrival (CLOCK_MONOTONIC ns), bytes of the
    content so far, and by how much (ns) these may have arrived earlier. ``wire_reads`` are the same with the
    bytes of the body as they are on the wire, its content encoding not undone. ``failure`` says how the last
    request failed, null when all are verified. The clock is as in `LoadRecord`.
    """

    requests: RequestArray
    reads: Sequence[PointArray]
    wire_reads: Sequence[PointArray]
    failure: str | None
    clock_drift_ns: int | None
    clock_span_ns: int | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was found of one response, and its Content-Encoding, which is undone; empty without one.

    ``unended``: it had begun, and was still being sent when its time or the room for it was over.
    """

    found: Verification
    encoding: str
    unended: bool


class LoadDriver:
    """Starts the driver in ``folder`` (private, made by us); a context manager that ends it.

    With a ``web_port`` Locust's web UI shows the load there, on 127.0.0.1.
    """

    def __init__(
        self,
        processes: Processes,
        folder: Path,
        cores: Sequence[int] | None,
        web_port: int | None = None,
    ) -> None:
        self._processes = processes
        self._folder = folder
        self._cores = cores
        self._web_port = web_port
        self._failures = 0
        self._process, self._link = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def pid(self) -> int:
        """The driver's process."""
        return self._process.pid

    def _start(self) -> tuple[OwnedProcess, Link]:
        address = self._folder / "driver.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            address.unlink(missing_ok=True)
            listener.bind(str(address))
            listener.listen(1)
            process = self._processes.start(
                [
                    *(sys.executable, "-P", "-m", "scenarios.driver", str(address)),
                    *([] if self._web_port is None else [str(self._web_port)]),
                ],
                cwd=self._folder,
                env=own_environment(),
                output=self._folder / "driver.log",
                cpus=self._cores,
            )
            try:
                link = Link(_accept(listener, process))
            except LoadFailed:
                process.stop(0)
                raise
        self._scheduling = first_in_line(process.pid, DRIVER) if self._cores is not None else ORDINARY
        self._is_there = True
        return process, link

    def _end(self, grace_s: float = 2.0) -> None:
        self._is_there = False
        self._link.close()
        self._process.stop(grace_s)

    def fetch(self, specification: FetchSpecification) -> Fetched:
        """Ask once; the content is kept in the specification's file.

        Raises LoadFailed when the driver is gone, MeasurementError when the file cannot be written.
        """
        answer, _ = self._ask(specification)
        if "status" not in answer:
            raise MeasurementError(f"{answer['failure']}; make room there, or set TMPDIR to another folder")
        median = answer["median_chunk_bytes"]
        found = Verification(
            status=answer["status"] if answer["status"] > 0 else None,
            body_bytes=answer["body_bytes"],
            digest=f"{answer['digest']:016x}",
            framing=answer["framing"],
            chunks=answer["chunks"],
            first_chunk_bytes=answer["first_chunk_bytes"],
            median_chunk_bytes=None if median is None else round(median),
            failure=answer["failure"],
        )
        return Fetched(found, answer["encoding"], answer["unended"])

    def run(self, specification: TrialSpecification) -> LoadRecord:
        """One trial's load, from the warm-up to the end of the drain.

        Raises LoadFailed when the driver is gone, RecordsLost when the two sides count differently.
        """
        answer, packed = self._ask(specification)
        records = memoryview(packed)  # of a long trial hundreds of megabytes: no copy is made
        streams_end = answer["recorded"] * REQUEST_STRUCT.size
        load = specification.load
        return LoadRecord(
            window_open_ns=answer["window_open_ns"],
            window_close_ns=answer["window_close_ns"],
            drained_ns=answer["drained_ns"],
            requests=_whole(records[:streams_end], answer, answer),
            errors=answer["errors"],
            client_cpu_ns=answer["client_cpu_ns"],
            client_wall_ns=answer["client_wall_ns"],
            clock_drift_ns=answer["clock_drift_ns"],
            clock_span_ns=answer["clock_span_ns"],
            clock_bend_ns=answer["clock_bend_ns"],
            client_scheduling=self._scheduling,
            follow_ups=unpack_follow_ups(records[streams_end:]) if isinstance(load, HangUp) else None,
            others=None if isinstance(load, HangUp) else _others(records[streams_end:], answer),
            reading_bytes_per_second=load.bytes_per_second if isinstance(load, SlowReader) else None,
        )

    def trace(self, specification: TraceSpecification) -> TracedLoad:
        """One user's requests with all of their reads. Raises LoadFailed when the driver is gone."""
        answer, packed = self._ask(specification)
        size = answer["requests"] * REQUEST_STRUCT.size
        points = np.frombuffer(packed[size:], dtype="<i8").reshape(-1, POINT_NUMBERS).copy()
        if answer["clock_drift_ns"]:
            points[:, 0] -= _shift_ns(points[:, 0], answer)
        ends = np.cumsum(answer["reads"])[:-1]
        return TracedLoad(
            requests=corrected(unpack_requests(packed[:size]), answer),
            reads=np.split(points[:, [0, 1, 2]], ends),
            wire_reads=np.split(points[:, [0, 3, 2]], ends),
            failure=answer["failure"],
            clock_drift_ns=answer["clock_drift_ns"],
            clock_span_ns=answer["clock_span_ns"],
        )

    def _ask(self, specification: Specification) -> tuple[dict[str, Any], bytearray]:
        """Its answer. A driver that died or hangs is ended; the next question has a new one started.

        Raises LoadFailed, LoadGivenUp the third time in a row.
        """
        longest_s = specification.takes_at_most_s
        try:
            if not self._is_there:
                self._process, self._link = self._start()
            self._link.send(to_message(specification), within_s=longest_s)
            answer = self._link.receive(longest_s)
        except LinkClosed as closed:
            why, fault = f"died ({closed})", Fault.DRIVER_DIED
        except LinkSilent:
            why, fault = f"hung: it had not answered after {longest_s:g} s", Fault.DRIVER_HUNG
        except LoadFailed as failed:  # the new one did not start
            why, fault = f"did not start anew ({failed})", failed.fault
        else:
            self._failures = 0
            return answer
        words = self._process.output_tail().strip() or "(it wrote nothing)"
        self._end(grace_s=0)
        self._failures += 1
        given_up = self._failures >= _MOST_FAILURES
        kind = LoadGivenUp if given_up else LoadFailed
        often = f", the {self._failures}. time in a row" if given_up else ""
        raise kind(f"the load driver {why}{often}; its last words:\n{words}", fault)


def _others(packed: memoryview, answer: Mapping[str, Any]) -> OthersRecord | None:
    told = answer["others"]
    if told is None:
        return None
    return OthersRecord(
        begin_ns=told["begin_ns"],
        streams_begin_ns=told["streams_begin_ns"],
        patience_ns=told["patience_ns"],
        requests=_whole(packed, told, answer),
        errors=told["errors"],
    )


def _whole(packed: memoryview, counted: Mapping[str, Any], clock: Mapping[str, Any]) -> RequestArray:
    """The corrected requests. Raises RecordsLost where they are not as many as the driver ``counted``."""
    requests = corrected(unpack_requests(packed), clock)
    if not len(requests) == counted["recorded"] == counted["issued"]:
        raise RecordsLost(
            f"the load driver issued {counted['issued']} requests and recorded {counted['recorded']}, "
            f"and {len(requests)} records arrived"
        )
    return requests


def corrected(requests: RequestArray, answer: Mapping[str, Any]) -> RequestArray:
    """The requests, in whose place kernel stamps are corrected for the wall clock's drift since the anchor.

    A clock that is slewed moves evenly; a step is told by `harness.validity`. The instant of a hang-up is no
    stamp.
    """
    if not answer["clock_drift_ns"]:
        return requests
    for name in ("headers_ns", "first_body_ns", "first_row_ns", "last_ns"):
        instants = requests[:, COLUMN[name]]
        shifted = instants - _shift_ns(instants, answer)
        unstamped = instants == MISSING
        if name == "last_ns":
            unstamped |= requests[:, COLUMN["outcome"]] == Outcome.HUNG_UP
        requests[:, COLUMN[name]] = np.where(unstamped, instants, shifted)
    return requests


def _shift_ns(instants: npt.NDArray[np.int64], answer: Mapping[str, Any]) -> npt.NDArray[np.int64]:
    """By how much (ns) the wall clock had moved at these instants since the trial's anchor."""
    since = instants - answer["clock_begun_ns"]
    shift: npt.NDArray[np.float64] = np.rint(since * (answer["clock_drift_ns"] / answer["clock_span_ns"]))
    return shift.astype(np.int64)


def own_environment() -> dict[str, str]:
    """This process's environment for Python children that run our own code and nobody else's."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _accept(listener: socket.socket, process: OwnedProcess) -> socket.socket:
    listener.settimeout(0.1)
    for _ in range(round(START_TIMEOUT_S / 0.1)):
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            if process.returncode is not None:
                break
            continue
        connection.settimeout(None)
        return connection
    raise LoadFailed(
        f"the load driver did not start; its last words:\n{process.output_tail()}", Fault.DRIVER_DIED
    )
