"""Conducting a run: plan, verify, trial after trial, traces, into the store, to the end or to Ctrl-C."""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from harness.loading.crew import Crew, asked_at
from harness.loading.newcomers import Alone, Muster, Newcomers
from harness.loading.windows import check_sizes, few_responses
from harness.onward import Onward
from harness.programs.cores import Cores
from harness.redaction import Redaction
from harness.servers.prepare import check_interpreters, prepare
from harness.servers.serving import RunningServer, ServerFailed
from harness.sides.provenance import check_own_code
from harness.sides.revisions import checkouts
from harness.sides.sides import cases_on
from harness.suites.matrix import PlannedCase, lines_of
from harness.suites.plan import Plan
from harness.trials.calibrate import SHORT, Calibrator
from harness.trials.repetition import repetition
from harness.trials.tracing import CaseTracer, Tracer
from harness.trials.trial import Measurer, TrialMeasurer
from harness.trials.verify import Group, Problem, VerifyFailed, groups_of, told, verify_group
from harness.trials.workshop import Workshop, workshop
from results.calibration import Answers, CalibrationPoint
from results.records import Slot, TrialRecord, Verification
from results.run import LINE, Run, in_order
from results.sides import Preparation, Side
from results.store import Store
from results.trace import Trace
from results.workers import Worker
from scenarios.specification import Arrivals, Load

_USERS_OF_ARRIVALS = 8

#: The cases of each side by identity; a run has one arm, without a side.
Arms = Mapping[Side | None, Mapping[str, PlannedCase]]


class Watcher(Protocol):
    """Is told how a run goes on, to show it."""

    def preparing(self, side: Side | None, command: Sequence[str]) -> None:
        """A target's ``prepare`` is about to be run."""

    def verifying(self, cases: int) -> None:
        """So many cases are about to be asked once."""

    def verified(self, planned: PlannedCase, found: Verification) -> None:
        """One case was asked once."""

    def mustering(self, crew: Crew) -> None:
        """Load processes are about to be waited for."""

    def joined(self, worker: Worker) -> None:
        """One of them is there."""

    def left(self, workers: int | None) -> None:
        """So many are left, and the run goes on with them; null: all are there again."""

    def doubted(self, sentence: str) -> None:
        """This will make figures doubtful."""

    def calibrating(self, users: Sequence[int]) -> None:
        """The client's own error is about to be measured with so many users."""

    def measuring(self, slot: Slot, planned: PlannedCase) -> None:
        """A trial begins."""

    def measured(self, slot: Slot, planned: PlannedCase, trial: TrialRecord) -> None:
        """A trial is in the store."""

    def repeated(self, slot: Slot, trial: TrialRecord) -> None:
        """That trial does not count, and is planned once more."""

    def extended(self, slots: int, why: str) -> None:
        """So many further trials are planned."""

    def tracing(self, planned: PlannedCase) -> None:
        """A traced trial begins."""

    def traced(self, planned: PlannedCase, trace: Trace) -> None:
        """A traced trial is in the store."""


def verify(cases: Mapping[str, PlannedCase], shop: Workshop, watcher: Watcher) -> Mapping[str, Verification]:
    """Ask each case once; what each answered, by identity. Raises VerifyFailed with all that is wrong."""
    return verify_arms({None: cases}, shop, watcher)[None]


def verify_arms(
    arms: Arms, shop: Workshop, watcher: Watcher
) -> dict[Side | None, Mapping[str, Verification]]:
    """The same on each side. What is wrong on one side only is told first: there a case is missing."""
    found: dict[Side | None, dict[str, Verification]] = {side: {} for side in arms}
    problems: dict[Side | None, list[Problem]] = {side: [] for side in arms}
    watcher.verifying(sum(len(cases) for cases in arms.values()))
    for side, cases in arms.items():

        def record(
            identity: str,
            verification: Verification,
            cases: Mapping[str, PlannedCase] = cases,
            side: Side | None = side,
        ) -> None:
            found[side][identity] = verification
            watcher.verified(cases[identity], verification)

        for group in groups_of(list(cases.values())):
            with serving_group(group, side, shop) as servers:
                problems[side] += verify_group(group, servers, shop.driver, shop.folder, record)
    if any(problems.values()):
        raise VerifyFailed(told(problems, sum(len(cases) for cases in arms.values())))
    return dict(found)


@contextlib.contextmanager
def serving_group(group: Group, side: Side | None, shop: Workshop) -> Iterator[Mapping[bool, RunningServer]]:
    """The group's servers; one that does not start says on which side."""
    with contextlib.ExitStack() as stack:
        try:
            servers = {
                joined: stack.enter_context(shop.serving(planned))
                for joined, planned in group.servers.items()
            }
        except ServerFailed as error:
            raise error if side is None else ServerFailed(f"on {side}: {error}", *error.keys) from error
        yield servers


def calibrate(plan: Plan, store: Store, shop: Workshop, watcher: Watcher, muster: Muster) -> None:
    """Keep the client's own error with one user and with the plan's most, in one to two seconds each.

    That of each worker is kept by itself: one that is lost meanwhile costs the run no other. Raises
    MeasurementError when it cannot be told.
    """
    if shop.crew is not None:
        muster.before_trial()
    elif not store.read().calibration:
        store.add_calibration(_calibrate_driver(plan, shop, watcher))


def _calibrate_driver(plan: Plan, shop: Workshop, watcher: Watcher) -> list[CalibrationPoint]:
    users = _calibrated_users(plan, 1)
    watcher.calibrating(users)
    return Calibrator(shop).points(users, list(Answers), SHORT)


def _calibrate_workers(plan: Plan, shop: Workshop, workers: Sequence[Worker]) -> list[CalibrationPoint]:
    """The same of each of these, with one user and with the most that it has of the plan's."""
    users = _users_of_worker(plan, shop)
    return Calibrator(shop).points_of(workers, users, list(Answers), SHORT)


def _newcomers(plan: Plan, store: Store, shop: Workshop, watcher: Watcher) -> Newcomers:
    def begin() -> None:
        watcher.calibrating(_users_of_worker(plan, shop))

    def calibrated(workers: Sequence[Worker]) -> list[CalibrationPoint]:
        return _calibrate_workers(plan, shop, workers)

    return Newcomers(shop.driver, store, watcher.joined, watcher.left, begin, calibrated)


def _users_of_worker(plan: Plan, shop: Workshop) -> list[int]:
    assert shop.crew is not None  # noqa: S101  - it is of one
    return _calibrated_users(plan, shop.crew.expected)


def _calibrated_users(plan: Plan, processes: int) -> list[int]:
    """One, and the most that one of so many processes has."""
    most = max(_users_of(planned.load) for planned in plan.cases)
    return sorted({1, math.ceil(most / processes)})


def _users_of(load: Load) -> int:
    """The users that stand for a load: how many an open loop has under way, the server decides."""
    return min(load.most_in_flight, _USERS_OF_ARRIVALS) if isinstance(load, Arrivals) else load.users


def measure(
    arms: Arms,
    store: Store,
    measurer: Measurer,
    tracer: Tracer,
    watcher: Watcher,
    onward: Onward = lambda _: None,
    finished_first: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
    *,
    traced: bool = True,
    muster: Muster | None = None,
) -> None:
    """Measure what the store has planned and not yet measured, a transaction a trial; then what comes onward.

    ``muster`` looks after those who make the load, null where the run's own driver does so alone.

    Each trial, with its transaction, is one that is to be ``finished_first`` when the run is to end.

    Traces, where they are wanted, come last: no timed trial has to wait for one, and a run that is cut short
    has its figures. An ab has none: its sides are compared, and not explained.
    """
    run = store.read()
    if run.finished_utc is not None:
        return
    muster = muster or Alone()
    expected = {None: run.verifications, Side.BASE: run.base_verifications, Side.HEAD: run.verifications}
    done = store.done()
    slots = list(run.header.slots)
    todo = deque(slot for slot in in_order(slots) if slot.position not in done)
    while True:
        while todo:
            slot = todo.popleft()
            planned = arms[slot.side][slot.case]
            watcher.measuring(slot, planned)
            muster.before_trial()
            with finished_first():
                trial = measurer(slot, planned, expected[slot.side][slot.case])
                muster.before_storing()
                again = repetition(slot, trial, slots)
                store.add_trial(trial, again)
                watcher.measured(slot, planned, trial)
            if again is not None:
                slots.append(again)
                todo.appendleft(again)
                watcher.repeated(again, trial)
            del trial  # a long one takes hundreds of megabytes, beside which the next one has no room
        more = onward(store.read())
        if more is None:
            break
        store.add_slots(more.slots)
        watcher.extended(len(more.slots), more.why)
        slots += more.slots
        todo += more.slots
    had = {trace.case for trace in store.traces()}
    for identity, planned in arms.get(None, {}).items() if traced else ():
        if planned.case.expect_failure or planned.target.app is None or identity in had:
            continue
        watcher.tracing(planned)
        with finished_first():
            trace = tracer(planned, run.verifications[identity])
            store.add_trace(trace)
            watcher.traced(planned, trace)
    store.finish(datetime.now(UTC).isoformat(timespec="seconds"))


def conduct(
    plan: Plan,
    store: Store,
    watcher: Watcher,
    cores: Cores,
    onward: Onward,
    finished_first: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
    web_port: int | None = None,
    crew: Crew | None = None,
) -> None:
    """A whole run, or the rest of one: what the store holds already is not measured again."""
    if store.read().finished_utc is not None:
        return  # to prepare an ab anew would take long, for nothing
    if crew is not None:  # numbers of an earlier part of the run are others'
        known = [worker.number for worker in store.read().workers]
        crew = replace(crew, first_number=max(known, default=-1) + 1)
    lines = lines_of(plan.cases)
    with (
        workshop(cores, web_port, asked_at(crew), crew, lined=bool(lines)) as shop,
        _arms(plan, store.read(), shop) as arms,
    ):
        if shop.link is not None:
            store.add_note(LINE, shop.link.described(lines))
        _prepare(arms, store, shop, watcher)
        if crew is not None:
            watcher.mustering(crew)
            shop.driver.muster(watcher.joined)
            store.add_workers(shop.driver.workers)
        if not store.read().verifications:
            found = verify_arms(arms, shop, watcher)
            store.add_verifications(found[plan.sides[-1]], found.get(Side.BASE))
        muster = Alone() if crew is None else _newcomers(plan, store, shop, watcher)
        calibrate(plan, store, shop, watcher, muster)
        measurer = TrialMeasurer(shop, seed=plan.seed, warmup_s=plan.warmup_s, window_s=plan.window_s)
        tracer = CaseTracer(shop)
        _check_windows(plan, store.read(), watcher)
        measure(
            arms,
            store,
            measurer,
            tracer,
            watcher,
            onward,
            finished_first,
            traced=plan.traced,
            muster=muster,
        )


def _check_windows(plan: Plan, run: Run, watcher: Watcher) -> None:
    """That lines leave room for responses, on each side; of little room the watcher is told.

    Raises LineFailed.
    """
    sides = [found for found in (run.base_verifications, run.verifications) if found]
    for found in sides:
        check_sizes(plan.cases, found, plan.window_s)
    told = [sentence for found in sides for sentence in few_responses(plan.cases, found, plan.window_s)]
    for sentence in dict.fromkeys(told):
        watcher.doubted(sentence)


@contextlib.contextmanager
def _arms(plan: Plan, run: Run, shop: Workshop) -> Iterator[Arms]:
    """The cases of each side: in an ab, each in a worktree of its own commit, which goes with the block."""
    cases = {planned.case.identity: planned for planned in plan.cases}
    if not run.header.sides:
        yield {None: cases}
        return
    with checkouts(run.header.sides, shop.folder) as places:
        yield {item.side: cases_on(cases, item, places[item.side]) for item in run.header.sides}


def _prepare(arms: Arms, store: Store, shop: Workshop, watcher: Watcher) -> None:
    """A run's app is prepared once; an ab's worktrees are new each time, and so are their environments."""
    prepared = bool(store.read().preparations)
    for side, cases in arms.items():
        redaction = Redaction.of_targets(planned.target for planned in cases.values())

        def begin(side: Side | None, command: Sequence[str], redaction: Redaction = redaction) -> None:
            watcher.preparing(side, redaction.value(command))

        def keep(preparation: Preparation, redaction: Redaction = redaction) -> None:
            store.add_preparation(redaction.value(preparation))

        if side is not None or not prepared:
            prepare(side, cases.values(), shop.processes, shop.folder, begin, keep)
        check_interpreters(side, cases.values(), shop.processes, shop.folder)
    for item in store.read().header.sides:  # when all is prepared: one preparation may undo another
        check_own_code(item, arms[item.side].values(), shop.processes, shop.folder, shop.python)
