"""Load processes that join when a run has begun: kept and calibrated as those are that were there before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from harness.loading.load import LoadDriver, LoadFailed, LoadGivenUp
from harness.loading.merging import RecordsLost
from results.calibration import CalibrationPoint
from results.errors import MeasurementError
from results.store import Store
from results.workers import Worker

_MOST_TRIES = 3


class Muster(Protocol):
    """Is asked who makes the load, between trials."""

    def before_trial(self) -> None:
        """A trial is about to be measured."""

    def before_storing(self) -> None:
        """It was measured; others may have joined meanwhile, and had a part in it."""


class Alone:
    """The run's own driver makes the load."""

    def before_trial(self) -> None:
        """Nobody joins."""

    def before_storing(self) -> None:
        """Nobody has."""


class Newcomers:
    """Whoever has joined the driver and is not in the store; ``joined`` is told of each.

    ``left`` is told of how many workers are left whenever that has changed, null when all are there again.
    ``calibrating`` is told before ``calibrate`` measures the points of one; that raises LoadFailed where it
    is lost.
    """

    def __init__(
        self,
        driver: LoadDriver,
        store: Store,
        joined: Callable[[Worker], None],
        left: Callable[[int | None], None],
        calibrating: Callable[[], None],
        calibrate: Callable[[Sequence[Worker]], Sequence[CalibrationPoint]],
    ) -> None:
        self._driver = driver
        self._store = store
        self._joined = joined
        self._left = left
        self._fewer: int | None = None
        self._calibrating = calibrating
        self._calibrate = calibrate
        run = store.read()
        self._kept = {worker.number for worker in run.workers}
        self._tries: Counter[int] = Counter()
        self._calibrated = {point.worker for point in run.calibration}

    def before_trial(self) -> None:
        """Keep and calibrate them. One that is lost meanwhile may come back, and is tried again.

        Raises MeasurementError where no worker's error can be told, for no fault of a worker.
        """
        self.before_storing()
        due = [
            worker
            for worker in self._driver.workers
            if worker.number not in self._calibrated and self._tries[worker.number] < _MOST_TRIES
        ]
        if due:
            self._calibrating()
        for worker in due:
            self._tries[worker.number] += 1
            try:
                points = self._calibrate([worker])
            except LoadGivenUp:
                raise
            except (LoadFailed, RecordsLost):  # the driver's end is its workers' too: they join as others
                continue
            except MeasurementError:  # as by too busy a machine
                if not self._calibrated:
                    raise
                continue
            self._store.add_calibration(points)
            self._calibrated.add(worker.number)

    def before_storing(self) -> None:
        """Keep them, and see whether any have gone."""
        for worker in self._driver.workers:
            if worker.number not in self._kept:
                self._store.add_workers([worker])
                self._kept.add(worker.number)
                self._joined(worker)
        if self._driver.fewer != self._fewer:
            self._fewer = self._driver.fewer
            self._left(self._fewer)
