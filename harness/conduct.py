"""Conducting a run: plan, verify, trial after trial, traces, into the store, to the end or to Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from harness.calibrate import SHORT, Calibrator
from harness.cores import Cores
from harness.load import LoadDriver
from harness.matrix import PlannedCase
from harness.plan import Plan
from harness.processes import Processes
from harness.serving import serving
from harness.tracing import CaseTracer, Tracer
from harness.trial import Measurer, TrialMeasurer
from harness.verify import VerifyFailed, groups_of, verify_group
from results.calibration import Answers, CalibrationPoint
from results.records import Slot, TrialRecord, Verification
from results.store import Store
from results.trace import Trace
from scenarios.specification import Download, Load

#: A Unix socket's path has room for about 100 bytes (unix(7)).
_LONGEST_FOLDER = 80
_USERS_OF_ARRIVALS = 8


class Watcher(Protocol):
    """Is told how a run goes on, to show it."""

    def verifying(self, cases: int) -> None:
        """So many cases are about to be asked once."""

    def verified(self, planned: PlannedCase, found: Verification) -> None:
        """One case was asked once."""

    def calibrating(self, users: Sequence[int]) -> None:
        """The client's own error is about to be measured with so many users."""

    def measuring(self, slot: Slot, planned: PlannedCase) -> None:
        """A trial begins."""

    def measured(self, slot: Slot, planned: PlannedCase, trial: TrialRecord) -> None:
        """A trial is in the store."""

    def tracing(self, planned: PlannedCase) -> None:
        """A traced trial begins."""

    def traced(self, planned: PlannedCase, trace: Trace) -> None:
        """A traced trial is in the store."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a run needs besides its plan: processes, a driver, a private folder, cores, a Python."""

    processes: Processes
    driver: LoadDriver
    folder: Path
    cores: Cores
    python: str


@contextlib.contextmanager
def workshop(cores: Cores, web_port: int | None = None) -> Iterator[Workshop]:
    """Everything that is started ends with the block, and with this process, however that ends.

    With a ``web_port`` Locust's web UI shows the load there.
    """
    folder = Path(tempfile.mkdtemp(prefix="streamgauge-"))
    if len(str(folder)) > _LONGEST_FOLDER:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="streamgauge-", dir="/tmp"))
    try:
        with (
            _pinned(cores),
            Processes() as processes,
            LoadDriver(processes, folder, cores.load, web_port) as driver,
        ):
            yield Workshop(processes, driver, folder, cores, sys.executable)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def verify(cases: Mapping[str, PlannedCase], shop: Workshop, watcher: Watcher) -> Mapping[str, Verification]:
    """Ask each case once; what each answered, by identity. Raises VerifyFailed with all that is wrong."""
    found: dict[str, Verification] = {}
    problems: list[str] = []
    watcher.verifying(len(cases))

    def record(identity: str, verification: Verification) -> None:
        found[identity] = verification
        watcher.verified(cases[identity], verification)

    for group in groups_of(list(cases.values())):
        with serving(
            group.cases[0],
            processes=shop.processes,
            folder=shop.folder,
            cores=shop.cores.server,
            python=shop.python,
        ) as server:
            problems += verify_group(group, server, shop.driver, shop.folder, record)
    if problems:
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise VerifyFailed(
            f"{len(problems)} of {len(cases)} cases do not answer as they must; nothing was timed:\n{lines}"
        )
    return found


def calibrate(plan: Plan, shop: Workshop, watcher: Watcher) -> list[CalibrationPoint]:
    """The client's own error with one user and with the plan's most, in about two seconds each.

    Raises MeasurementError when it cannot be told.
    """
    users = sorted({1, max(_calibrated_users(planned.load) for planned in plan.cases)})
    watcher.calibrating(users)
    calibrator = Calibrator(shop.processes, shop.driver, shop.folder, shop.cores)
    return calibrator.points(users, list(Answers), SHORT)


def _calibrated_users(load: Load) -> int:
    """The users that stand for a load: how many an open loop has under way, the server decides."""
    return load.users if isinstance(load, Download) else min(load.most_in_flight, _USERS_OF_ARRIVALS)


def measure(
    plan: Plan,
    cases: Mapping[str, PlannedCase],
    store: Store,
    measurer: Measurer,
    tracer: Tracer,
    watcher: Watcher,
) -> None:
    """Measure what the store does not hold yet, in the planned order, a transaction a trial; then trace.

    Traces come last: no timed trial has to wait for one, and a run that is cut short has its figures.
    """
    done = store.done()
    expected = store.read().verifications
    for slot in plan.slots:
        if slot.position in done:
            continue
        planned = cases[slot.case]
        watcher.measuring(slot, planned)
        trial = measurer(slot, planned, expected[slot.case])
        store.add_trial(trial)
        watcher.measured(slot, planned, trial)
    traced = {trace.case for trace in store.traces()}
    for identity, planned in cases.items() if plan.traced else ():
        if planned.case.expect_failure or identity in traced:
            continue
        watcher.tracing(planned)
        trace = tracer(planned, expected[identity])
        store.add_trace(trace)
        watcher.traced(planned, trace)
    store.finish(datetime.now(UTC).isoformat(timespec="seconds"))


def conduct(plan: Plan, store: Store, watcher: Watcher, cores: Cores, web_port: int | None = None) -> None:
    """A whole run, or the rest of one: what the store holds already is not measured again."""
    cases = {planned.case.identity: planned for planned in plan.cases}
    with workshop(cores, web_port) as shop:
        if not store.read().verifications:
            store.add_verifications(verify(cases, shop, watcher))
        if not store.read().calibration:
            store.add_calibration(calibrate(plan, shop, watcher))
        measurer = TrialMeasurer(
            processes=shop.processes,
            driver=shop.driver,
            folder=shop.folder,
            cores=shop.cores,
            python=shop.python,
            seed=plan.seed,
            warmup_s=plan.warmup_s,
            window_s=plan.window_s,
        )
        tracer = CaseTracer(
            processes=shop.processes,
            driver=shop.driver,
            folder=shop.folder,
            cores=shop.cores,
            python=shop.python,
        )
        measure(plan, cases, store, measurer, tracer, watcher)


@contextlib.contextmanager
def _pinned(cores: Cores) -> Iterator[None]:
    """This process's main thread on the harness's cores; threads that it starts inherit them."""
    if cores.harness is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores.harness)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
