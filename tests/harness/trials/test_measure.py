"""A run without waiting: what is measured in which order, what is kept, and what a resumption does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from analysis.verdicts.trust import why_untrusted
from harness.conduct import measure
from harness.loading.crew import Crew
from harness.suites.matrix import PlannedCase
from harness.suites.plan import make_plan
from results.errors import MeasurementError
from results.faults import Fault
from results.records import Slot, TrialRecord, Verification
from results.run import standing
from results.sides import Side
from results.store import Store
from results.trace import Trace
from results.workers import Worker
from tests.harness.examples import FAILING, TARGET, orders
from tests.results.examples import run_header, trial_record, verification

CASES = {planned.case.identity: planned for planned in orders(target=TARGET + FAILING)}
CLOCK = itertools.count(1)
LOST = "worker-lost: it was not heard of"
PLAN = make_plan(list(CASES.values()), blocks=3, seed=11, warmup_s=600, window_s=600)


@dataclass
class Told:
    """What the watcher and the measurer were told, in order, and what they were told it with."""

    events: list[tuple[str, int]] = field(default_factory=list)
    expected: dict[int, Verification] = field(default_factory=dict)
    traces: list[tuple[str, str]] = field(default_factory=list)


class FakeMeasurer:
    """Stands for server, load and clock: each trial is there at once, its length made up."""

    def __init__(self, told: Told, at: Callable[[int], str | None] = lambda _: None) -> None:
        self._told = told
        self._at = at

    def __call__(self, slot: Slot, planned: PlannedCase, expected: Verification) -> TrialRecord:
        self._told.events.append(("measure", slot.position))
        self._told.expected[slot.position] = expected
        assert planned.case.identity == slot.case
        reason = self._at(slot.position)
        lost = Fault.WORKER_LOST if reason == LOST else None
        return trial_record(slot.position, reason=reason, fault=lost, started_ns=next(CLOCK))


class FakeTracer:
    """Stands for the traced trials; ``at`` is asked before each."""

    def __init__(self, told: Told, at: Callable[[str], str | None]) -> None:
        self._told = told
        self._at = at

    def __call__(self, planned: PlannedCase, expected: Verification) -> Trace:
        identity = planned.case.identity
        self._told.traces.append(("trace", identity))
        assert expected.body_bytes == list(CASES).index(identity)
        return Trace(identity, "2031-02-03T04:05:06+00:00", self._at(identity))


class FakeWatcher:
    """Notes down what it is told, and whether the trial was on the disk by then."""

    def __init__(self, told: Told, path: Path) -> None:
        self._told = told
        self._path = path

    def verifying(self, cases: int) -> None:
        raise AssertionError(f"nothing is verified here, not even {cases} cases")

    def verified(self, planned: PlannedCase, found: Verification) -> None:
        raise AssertionError(f"nothing is verified here: {planned}, {found}")

    def mustering(self, crew: Crew) -> None:
        raise AssertionError(f"nobody is waited for here: {crew}")

    def joined(self, worker: Worker) -> None:
        raise AssertionError(f"nobody joins here: {worker}")

    def left(self, workers: int | None) -> None:
        raise AssertionError(f"nobody leaves: {workers}")

    def doubted(self, sentence: str) -> None:
        raise AssertionError(f"no windows are checked here: {sentence}")

    def calibrating(self, users: Sequence[int]) -> None:
        raise AssertionError(f"nothing is calibrated here, not even with {users} users")

    def preparing(self, side: Side | None, command: Sequence[str]) -> None:
        raise AssertionError(f"nothing is prepared here: {side}, {command}")

    def repeated(self, slot: Slot, trial: TrialRecord) -> None:
        self._told.events.append(("again", slot.position))
        assert trial.fault is not None

    def extended(self, slots: int, why: str) -> None:
        raise AssertionError(f"nothing is added here: {slots}, {why}")

    def measuring(self, slot: Slot, planned: PlannedCase) -> None:
        assert planned is CASES[slot.case]
        self._told.events.append(("begin", slot.position))

    def measured(self, slot: Slot, planned: PlannedCase, trial: TrialRecord) -> None:
        assert (planned, trial.position) == (CASES[slot.case], slot.position)
        with Store.open(self._path) as store:
            kept = slot.position in store.done()
        self._told.events.append(("kept" if kept else "lost", slot.position))

    def tracing(self, planned: PlannedCase) -> None:
        self._told.traces.append(("begin", planned.case.identity))

    def traced(self, planned: PlannedCase, trace: Trace) -> None:
        with Store.open(self._path) as store:
            kept = trace.case in {stored.case for stored in store.traces()}
        self._told.traces.append(("kept" if kept else "lost", planned.case.identity))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    header = run_header(cases=[planned.case for planned in CASES.values()], slots=PLAN.slots, blocks=3)
    with Store.create(tmp_path / "run.sqlite", header) as made:
        made.add_verifications(
            {identity: verification(body_bytes=number) for number, identity in enumerate(CASES)}
        )
        yield made


def go(
    store: Store,
    at: Callable[[int], str | None] = lambda _: None,
    at_trace: Callable[[str], str | None] = lambda _: None,
) -> Told:
    told = Told()
    watcher = FakeWatcher(told, store.path)
    measure({None: CASES}, store, FakeMeasurer(told, at), FakeTracer(told, at_trace), watcher)
    return told


def interrupted_at(
    position: int, error: type[BaseException] = KeyboardInterrupt
) -> Callable[[int], str | None]:
    def at(reached: int) -> None:
        if reached == position:
            raise error

    return at


def test_each_slot_is_measured_once_in_the_plan_s_order_and_kept_before_it_is_told(store: Store) -> None:
    told = go(store)
    assert told.events == [
        (what, slot.position) for slot in PLAN.slots for what in ("begin", "measure", "kept")
    ]
    run = store.read()
    assert [trial.slot for trial in run.trials] == list(PLAN.slots)
    assert run.finished_utc


def test_each_trial_is_held_to_what_verify_saw_of_its_case(store: Store) -> None:
    told = go(store)
    numbers = {identity: number for number, identity in enumerate(CASES)}
    assert {position: found.body_bytes for position, found in told.expected.items()} == {
        slot.position: numbers[slot.case] for slot in PLAN.slots
    }


@pytest.mark.parametrize("error", [KeyboardInterrupt, MeasurementError, RuntimeError])
@pytest.mark.parametrize("position", [0, 5, len(PLAN.slots) - 1])
def test_what_was_measured_before_the_end_is_kept_and_never_measured_again(
    store: Store, position: int, error: type[BaseException]
) -> None:
    with pytest.raises(error):
        go(store, interrupted_at(position, error))
    assert store.done() == set(range(position))
    assert store.read().finished_utc is None
    before = [trial.started_ns for trial in store.read().trials]

    told = go(store)
    assert [number for what, number in told.events if what == "measure"] == list(
        range(position, len(PLAN.slots))
    )
    run = store.read()
    assert [trial.slot for trial in run.trials] == list(PLAN.slots)
    assert [trial.started_ns for trial in run.trials][:position] == before
    assert run.finished_utc


def test_a_run_that_was_interrupted_often_is_a_whole_one_in_the_planned_order(store: Store) -> None:
    for position in (4, 4, 9):
        with pytest.raises(KeyboardInterrupt):
            go(store, interrupted_at(position))
    go(store)
    trials = store.read().trials
    assert [trial.slot for trial in trials] == list(PLAN.slots)
    starts = [trial.started_ns for trial in trials]
    assert starts == sorted(set(starts))


def test_a_hole_in_the_middle_is_filled(store: Store) -> None:
    for position in (0, 1, 3, 6):
        store.add_trial(trial_record(position))
    told = go(store)
    measured = [number for what, number in told.events if what == "measure"]
    assert measured == sorted(set(range(len(PLAN.slots))) - {0, 1, 3, 6})


def test_an_invalid_trial_is_kept_and_not_measured_again(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(store, lambda position: interrupted_at(5)(position) or ("cut off" if position == 2 else None))
    told = go(store)
    assert ("measure", 2) not in told.events
    assert [trial.reason for trial in store.read().trials[:4]] == [None, None, "cut off", None]


def test_a_trial_whose_worker_was_lost_is_measured_once_more_at_once(store: Store) -> None:
    told = go(store, lambda position: LOST if position == 2 else None)
    again = len(PLAN.slots)
    assert [number for what, number in told.events if what == "measure"] == [
        *(0, 1, 2, again),
        *range(3, len(PLAN.slots)),
    ]
    run = store.read()
    repeated = run.trials[again].slot
    assert repeated.place == PLAN.slots[2].place
    assert [trial.reason for trial in run.trials if trial.slot.place == repeated.place] == [LOST, None]
    assert run.header.blocks == 3
    assert [trial.slot.position for trial in standing(run.trials)].count(2) == 0
    assert why_untrusted([trial for trial in run.trials if trial.slot.case == repeated.case]) is None


def test_a_block_does_without_one_that_is_lost_three_times(store: Store) -> None:
    first = len(PLAN.slots)
    told = go(store, lambda position: LOST if position in {2, first, first + 1} else None)
    measured = [number for what, number in told.events if what == "measure"]
    assert measured[:6] == [0, 1, 2, first, first + 1, 3]
    assert len(measured) == len(PLAN.slots) + 2


def test_what_is_to_be_repeated_is_known_when_a_killed_run_goes_on(store: Store) -> None:
    again = len(PLAN.slots)
    with pytest.raises(KeyboardInterrupt):
        go(store, lambda position: LOST if position == 2 else interrupted_at(again)(position))
    told = go(store)
    block = [slot.position for slot in PLAN.slots if slot.block == 0]
    measured = [number for what, number in told.events if what == "measure"]
    assert measured == [again, *block[3:], *range(len(block), len(PLAN.slots))], "at once"


def test_a_complete_run_is_left_as_it_is(store: Store) -> None:
    go(store)
    before = store.path.read_bytes()
    assert go(store).events == []
    assert store.path.read_bytes() == before


TRACED = [identity for identity, planned in CASES.items() if not planned.case.expect_failure]


def test_each_timed_case_is_traced_once_when_all_trials_are_through(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(store, interrupted_at(len(PLAN.slots) - 1))
    assert store.traces() == []
    told = go(store)
    assert told.traces == [(what, identity) for identity in TRACED for what in ("begin", "trace", "kept")]
    assert [trace.case for trace in store.traces()] == TRACED


def test_traces_that_are_stored_are_not_made_again_the_failed_ones_neither(store: Store) -> None:
    def at_trace(identity: str) -> str | None:
        if identity == TRACED[2]:
            raise KeyboardInterrupt
        return "no ledger" if identity == TRACED[0] else None

    with pytest.raises(KeyboardInterrupt):
        go(store, at_trace=at_trace)
    assert store.read().finished_utc is None
    told = go(store)
    assert [identity for what, identity in told.traces if what == "trace"] == TRACED[2:]
    assert [trace.reason for trace in store.traces()] == ["no ledger", *[None] * (len(TRACED) - 1)]
    assert store.read().finished_utc


def test_a_store_that_fails_ends_the_run_with_its_trials_kept(store: Store) -> None:
    def at(position: int) -> None:
        if position == 4:
            store.path.rename(store.path.with_name("moved.sqlite"))

    with pytest.raises(MeasurementError, match=r"run\.sqlite was deleted or moved"):
        go(store, at)
    with Store.open(store.path.with_name("moved.sqlite")) as moved:
        assert moved.done() == {0, 1, 2, 3}
