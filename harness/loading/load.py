"""The harness's end of the load driver: one child process that lives as long as the run."""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from harness.loading.crew import Crew
from harness.loading.lending import Lent, OwnWorkers
from harness.loading.merging import corrected, load_record, own_record, shift_ns
from harness.programs.processes import OwnedProcess, Processes, own_environment
from harness.programs.scheduling import DRIVER, first_in_line
from results.calibration import ServerTruth
from results.errors import MeasurementError
from results.faults import Fault
from results.records import (
    REQUEST_STRUCT,
    LoadRecord,
    RequestArray,
    Verification,
    unpack_requests,
)
from results.trace import PointArray
from results.workers import Worker
from scenarios.link import HEARTBEAT, LONGEST_PAUSE_S, Link, LinkClosed, LinkSilent
from scenarios.specification import (
    GRACE_S,
    POINT_NUMBERS,
    FetchSpecification,
    TraceSpecification,
    TrialSpecification,
    to_message,
)

#: Importing Locust on a busy machine takes a while.
START_TIMEOUT_S = 60.0
#: So many drivers in a row that die or hang are no accident.
_MOST_FAILURES = 3
_LOOK_EVERY_S = 0.25
_DISMISS_S = 5.0
#: Load processes of our own end with us: that they lose patience is not wanted.
_OWN_PATIENCE_S = 3600.0
#: What a crew may take beyond its trial to hand over its records (s): they may be gigabytes.
HANDOVER_S = 300.0


class LoadFailed(MeasurementError):  # noqa: N818  - named for what happened
    """The load driver died or hangs: nothing came of what it was asked. The next time a new one is."""

    def __init__(self, message: str, fault: Fault) -> None:
        super().__init__(message)
        self.fault = fault


class LoadGivenUp(LoadFailed):
    """Several load drivers in a row: no further trial can be measured."""


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

    With a ``web_port`` Locust's web UI shows the load there, on 127.0.0.1. With a ``crew`` the driver is its
    master: it runs on ``master_cores``, and what it starts itself on ``cores``. ``prefix`` is put before the
    commands of all that makes load.
    """

    def __init__(
        self,
        processes: Processes,
        folder: Path,
        cores: Sequence[int] | None,
        web_port: int | None = None,
        *,
        crew: Crew | None = None,
        master_cores: Sequence[int] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self._processes = processes
        self._folder = folder
        self._cores = cores
        self._web_port = web_port
        self._crew = crew
        self._own_cores = cores if crew is None else master_cores
        self._prefix = prefix
        self._failures = 0
        self._port = 0 if crew is None else crew.port
        self._own = OwnWorkers(0 if crew is None else crew.processes, processes, folder, own_environment())
        self._workers: dict[int, Worker] = {}
        self._awaited: int | None = None
        self._process, self._link = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._crew is not None and self._is_there:
            # so that workers elsewhere end at once, and do not wait for a run that is over
            with contextlib.suppress(LinkClosed, LinkSilent):  # one that is gone has nobody to tell
                self._exchange({"kind": "dismiss", "why": "the run is over"}, _DISMISS_S)
        self._end()
        self._own.stop()

    @property
    def pid(self) -> int:
        """The driver's process."""
        return self._process.pid

    @property
    def workers(self) -> Sequence[Worker]:
        """All that have joined so far, by number; none without a crew."""
        return [self._workers[number] for number in sorted(self._workers)]

    @property
    def fewer(self) -> int | None:
        """So many of the crew are left, after the last trial; null where all that are expected are there."""
        expected = None if self._crew is None else self._crew.expected
        return None if self._awaited == expected else self._awaited

    @property
    def port(self) -> int:
        """Where workers join; 0 without a crew."""
        return self._port

    def _start(self) -> tuple[OwnedProcess, Link]:
        address = self._folder / "driver.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            address.unlink(missing_ok=True)
            listener.bind(str(address))
            listener.listen(1)
            process = self._processes.start(
                [*self._prefix, sys.executable, "-P", "-m", "scenarios.driver", str(address)],
                cwd=self._folder,
                env=own_environment(),
                output=self._folder / "driver.log",
                cpus=self._own_cores,
            )
            try:
                link = Link(_accept(listener, process))
                self._greet(link)
            except LoadFailed:
                process.stop(0)
                raise
        if self._own_cores is not None:
            first_in_line(process.pid, DRIVER)
        self._is_there = True
        return process, link

    def _greet(self, link: Link) -> None:
        """Say whether it makes the load itself. Raises LoadFailed when it cannot do as it is told."""
        greeting: dict[str, Any] = {"kind": "alone", "web_port": self._web_port}
        if self._crew is not None:
            first_number = max(self._workers, default=self._crew.first_number - 1) + 1
            greeting |= {"kind": "gather", **self._crew.call(self._port, first_number)}
        try:
            link.send(greeting, within_s=START_TIMEOUT_S)
            answer, _ = link.receive(START_TIMEOUT_S)
        except (LinkClosed, LinkSilent) as error:
            raise LoadFailed(f"the load driver did not start ({error})", Fault.DRIVER_DIED) from error
        if "failure" in answer:
            raise LoadFailed(f"the load driver did not start: {answer['failure']}", Fault.DRIVER_DIED)
        self._port = answer.get("port", 0)

    def _end(self, grace_s: float = 2.0) -> None:
        self._is_there = False
        self._link.close()
        self._process.stop(grace_s)

    def muster(self, joined: Callable[[Worker], None] = lambda _: None) -> None:
        """Wait until the crew is complete; each who has ``joined`` is told as soon as it has.

        Raises LoadFailed when not enough come in time, with what is known of those who tried.
        """
        crew = self._crew
        if crew is None:
            return
        self._lend(crew)
        deadline = time.monotonic() + crew.muster_s
        refusals: list[str] = []
        while True:
            looked_for = {"kind": "muster", "expected": crew.expected, "within_s": _LOOK_EVERY_S}
            answer, _ = self._ask(looked_for, _LOOK_EVERY_S + GRACE_S)
            for worker in self._keep_workers(answer):
                joined(worker)
            refusals += answer["refusals"]
            if answer["complete"]:
                return
            if (ended := self._own.ended) is not None:
                words = ended.process.output_tail().strip()
                raise LoadFailed(f"the load process {ended.name} ended:\n{words}", Fault.WORKER_LOST)
            if time.monotonic() > deadline:
                raise LoadFailed(crew.incomplete(self.workers, refusals), Fault.WORKER_LOST)

    def _lend(self, crew: Crew) -> None:
        """Start those of the crew that are ours and do not run, or no longer."""
        patience_s, prefix = _OWN_PATIENCE_S, self._prefix
        self._own.start(Lent(crew.host, self._port, crew.token, self._cores, patience_s, prefix=prefix))

    def _keep_workers(self, answer: Mapping[str, Any]) -> list[Worker]:
        """Those who are new among the ones that an answer names."""
        told = [Worker(**item) for item in answer.get("workers", [])]
        new = [worker for worker in told if worker.number not in self._workers]
        self._workers |= {worker.number: worker for worker in new}
        return new

    def fetch(self, specification: FetchSpecification) -> Fetched:
        """Ask once; the content is kept in the specification's file.

        Raises LoadFailed when the driver is gone, MeasurementError when the file cannot be written.
        """
        answer, _ = self._ask(to_message(specification), specification.takes_at_most_s)
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

        Raises LoadFailed when the driver or a worker is gone, LoadGivenUp when there are too few of them,
        RecordsLost when any two sides count differently.
        """
        answer, packed = self._asked_for(specification)
        return load_record(answer, packed, specification)

    def run_on(
        self, worker: Worker, specification: TrialSpecification
    ) -> tuple[LoadRecord, ServerTruth | None]:
        """The same by one worker alone, in the clock of its own machine.

        With port 0 it asks the reference server of its machine; what that knows is the second part, null
        otherwise. Raises as `run` does.
        """
        answer, packed = self._asked_for(specification, only_worker=worker.number)
        return own_record(answer, packed, specification)

    def _asked_for(self, specification: TrialSpecification, **more: int) -> tuple[dict[str, Any], bytearray]:
        crew = self._crew
        longest_s = specification.takes_at_most_s
        if crew is not None:
            self._lend(crew)
            longest_s += crew.patience_s + HANDOVER_S
        answer, packed = self._ask(
            {**to_message(specification), **more}, longest_s, with_heartbeats=crew is not None
        )
        self._keep_workers(answer)
        self._awaited = answer.get("awaited", self._awaited)
        if "lost" in answer:
            raise LoadFailed(answer["lost"], Fault.WORKER_LOST)
        if "too_few" in answer:
            raise LoadGivenUp(answer["too_few"], Fault.WORKER_LOST)
        return answer, packed

    def trace(self, specification: TraceSpecification) -> TracedLoad:
        """One user's requests with all of their reads. Raises LoadFailed when the driver is gone."""
        answer, packed = self._ask(to_message(specification), specification.takes_at_most_s)
        size = answer["requests"] * REQUEST_STRUCT.size
        points = np.frombuffer(packed[size:], dtype="<i8").reshape(-1, POINT_NUMBERS).copy()
        if answer["clock_drift_ns"]:
            points[:, 0] -= shift_ns(points[:, 0], answer)
        ends = np.cumsum(answer["reads"])[:-1]
        return TracedLoad(
            requests=corrected(unpack_requests(packed[:size]), answer),
            reads=np.split(points[:, [0, 1, 2]], ends),
            wire_reads=np.split(points[:, [0, 3, 2]], ends),
            failure=answer["failure"],
            clock_drift_ns=answer["clock_drift_ns"],
            clock_span_ns=answer["clock_span_ns"],
        )

    def _ask(
        self, message: Mapping[str, Any], longest_s: float, *, with_heartbeats: bool = False
    ) -> tuple[dict[str, Any], bytearray]:
        """Its answer. A driver that died or hangs is ended; the next question has a new one started.

        Raises LoadFailed, LoadGivenUp the third time in a row.
        """
        try:
            if not self._is_there:
                self._process, self._link = self._start()
            answer = self._exchange(message, longest_s, with_heartbeats=with_heartbeats)
        except LinkClosed as closed:
            why, fault = f"died ({closed})", Fault.DRIVER_DIED
        except LinkSilent as silent:
            why, fault = f"hung: {silent}", Fault.DRIVER_HUNG
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

    def _exchange(
        self, message: Mapping[str, Any], within_s: float, *, with_heartbeats: bool = False
    ) -> tuple[dict[str, Any], bytearray]:
        """Its answer. Raises LinkClosed, and LinkSilent where it comes too late or heartbeats stay away."""
        deadline = time.monotonic() + within_s
        self._link.send(dict(message), within_s=within_s)
        while True:
            left_s = max(deadline - time.monotonic(), _LOOK_EVERY_S)
            patience_s = min(left_s, LONGEST_PAUSE_S) if with_heartbeats else left_s
            try:
                answer, packed = self._link.receive(patience_s)
            except LinkSilent as silent:
                late = time.monotonic() >= deadline
                why = f"had not answered after {within_s:g}" if late else f"was silent for {patience_s:g}"
                raise LinkSilent(f"it {why} s") from silent
            if answer.get("kind") != HEARTBEAT:
                return answer, packed


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
