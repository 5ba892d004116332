"""The client's own error on this machine: the load driver against a server whose schedule is known."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import xxhash

from analysis.trial.calibration import TooFewRequests, calibration_point
from harness.loading.reference import ReferenceServer, reference
from harness.programs.ports import HOST
from harness.trials.validity import clock_step
from harness.trials.workshop import Workshop
from results.calibration import Answers, CalibrationPoint, ServerTruth
from results.errors import MeasurementError
from results.records import LoadRecord
from results.workers import Worker
from scenarios.specification import Address, Download, TrialSpecification
from targets.reference_server import piece_of

_TIMEOUT_S = 30.0
#: So many times longer a window is where too few requests fit into the first.
_LONGER = 3


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the reference server answers: after ``delay_us``, in so many pieces, ``pace_us`` apart."""

    delay_us: int
    chunks: int
    pace_us: int
    piece_bytes: int

    @property
    def path(self) -> str:
        """What to ask it for."""
        return (
            f"/?delay_us={self.delay_us}&chunks={self.chunks}&pace_us={self.pace_us}&bytes={self.piece_bytes}"
        )

    @property
    def body(self) -> bytes:
        """What it answers with."""
        return piece_of(self.piece_bytes) * self.chunks


#: 10 ms until the first byte, and then nothing, or a piece every millisecond.
SCHEDULES: Mapping[Answers, Schedule] = MappingProxyType(
    {Answers.ONCE: Schedule(10_000, 1, 0, 500), Answers.ON: Schedule(10_000, 20, 1_000, 100)}
)
#: The same with fewer pieces, so that a short time holds as many responses.
_SHORT_SCHEDULES: Mapping[Answers, Schedule] = MappingProxyType(
    {**SCHEDULES, Answers.ON: Schedule(10_000, 6, 1_000, 100)}
)


@dataclass(frozen=True, slots=True)
class Length:
    """How long each point takes, in seconds, and what the server does in that time."""

    warmup_s: float
    window_s: float
    schedules: Mapping[Answers, Schedule]


FULL = Length(0.5, 2.0, SCHEDULES)
SHORT = Length(0.1, 0.6, _SHORT_SCHEDULES)


@dataclass(frozen=True, slots=True)
class Calibrator:
    """Measures points with the driver of ``shop``, against a server that listens where it has all listen."""

    shop: Workshop

    def points(
        self, users: Sequence[int], answers: Sequence[Answers], length: Length
    ) -> list[CalibrationPoint]:
        """A point for each number of users and each way to answer.

        Where the machine is so busy that too few requests fit into a window, the point is measured once more
        in a longer one. Raises MeasurementError when one cannot be measured.
        """
        with self._reference() as server:
            return [
                _patiently(partial(self._point, server, number, way), length)
                for number in users
                for way in answers
            ]

    def points_of(
        self,
        workers: Sequence[Worker],
        users: Sequence[int],
        answers: Sequence[Answers],
        length: Length,
    ) -> list[CalibrationPoint]:
        """The same of each worker, one after another, against a reference server on its own machine.

        Raises MeasurementError when one cannot be measured.
        """
        crew = self.shop.crew
        brings_its_own = crew is not None and crew.is_elsewhere
        with contextlib.nullcontext() if brings_its_own else self._reference() as server:
            return [
                replace(
                    _patiently(partial(self._point_of, worker, server, number, way), length),
                    worker=worker.number,
                )
                for worker in workers
                for number in users
                for way in answers
            ]

    def _reference(self) -> AbstractContextManager[ReferenceServer]:
        shop = self.shop
        return reference(shop.processes, shop.folder, shop.cores.server, host=shop.host)

    def _point_of(
        self, worker: Worker, server: ReferenceServer | None, users: int, answers: Answers, length: Length
    ) -> CalibrationPoint:
        host, port = (HOST, 0) if server is None else (server.host, server.port)
        asked = _specification(host, port, users, length.schedules[answers], length)
        load, truth = self.shop.driver.run_on(worker, asked)
        if truth is None:
            assert server is not None  # noqa: S101  - asked on another machine, it comes with the records
            truth = server.truth()
        return _judged(users, answers, load, truth)

    def _point(
        self, server: ReferenceServer, users: int, answers: Answers, length: Length
    ) -> CalibrationPoint:
        load = self.shop.driver.run(
            _specification(server.host, server.port, users, length.schedules[answers], length)
        )
        return _judged(users, answers, load, server.truth())


def _patiently(measure: Callable[[Length], CalibrationPoint], length: Length) -> CalibrationPoint:
    try:
        return measure(length)
    except TooFewRequests:
        return measure(replace(length, window_s=length.window_s * _LONGER))


def _judged(users: int, answers: Answers, load: LoadRecord, truth: ServerTruth) -> CalibrationPoint:
    if stepped := clock_step(load.clock_drift_ns, load.clock_span_ns, load.clock_bend_ns):
        raise MeasurementError(f"the client cannot be calibrated: {stepped}; calibrate again")
    return calibration_point(users, answers, load, truth)


def _specification(
    host: str, port: int, users: int, schedule: Schedule, length: Length
) -> TrialSpecification:
    return TrialSpecification(
        address=Address(host, port, "GET", schedule.path, (), timeout_s=_TIMEOUT_S, keep_alive=True),
        name="calibration",
        load=Download(users),
        warmup_s=length.warmup_s,
        window_s=length.window_s,
        status=200,
        body_bytes=len(schedule.body),
        digest=xxhash.xxh3_64_intdigest(schedule.body),
    )
