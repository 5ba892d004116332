"""When an ab and a run go on: sides, confirmation, looks and budgets, without servers and without waiting."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.ab.findings import find_ab
from analysis.ab.json_document import ab_document
from analysis.ab.markdown import export
from analysis.ab.page import ab_html
from analysis.verdicts.margin_gate import outcomes
from analysis.verdicts.sides import trials_of
from analysis.verdicts.verdict import GatedCase
from harness.conduct import Arms, measure
from harness.onward import onward_of_ab, onward_of_run
from harness.stopping import blocks_that_fit, check_budget, first_blocks, smallest_change, what_can_be_seen
from harness.suites.matrix import PlannedCase
from harness.suites.plan import Plan, make_plan
from results.errors import UsageError
from results.faults import Fault
from results.metrics import FIGURES
from results.records import Slot, TrialRecord, Verification
from results.run import Run
from results.sides import MarginGate, Side
from results.store import Store
from results.terms import Stopping, Terms
from results.trace import Trace
from tests.analysis.sides import SIDES
from tests.analysis.verdicts.test_gate import at_most
from tests.harness.examples import Untold, orders
from tests.results.examples import run_header, trial_record, verification

CASES = {planned.case.identity: planned for planned in orders()}
WHOLE, STREAM, OTHER = CASES
BOTH = (Side.BASE, Side.HEAD)
SECOND = 1_000_000_000
#: The figures of a slot's trial, as a share of what a quiet base would give.
Truth = Callable[[Slot], float]


def gate(identity: str = STREAM) -> MarginGate:
    figure = FIGURES["ttfb_p50"]
    return MarginGate(f"{identity} ttfb_p50", CASES[identity].case, figure.name, figure.margin)


def noise(slot: Slot) -> float:
    """Known, and the same for nobody: a few thousandths up and down."""
    return 1 + 0.002 * ((7 * slot.block + 3 * (slot.side is Side.HEAD)) % 5 - 2)


class FakeMeasurer:
    """Each trial is there at once, took two seconds, and has the TTFB that the truth says."""

    def __init__(self, truth: Truth, took_s: float = 2, lost: Collection[int] = ()) -> None:
        self._truth = truth
        self._took_s = took_s
        self._lost = lost
        self.slots: list[Slot] = []
        self.asked: list[tuple[Side | None, str, int]] = []

    def __call__(self, slot: Slot, planned: PlannedCase, expected: Verification) -> TrialRecord:
        self.slots.append(slot)
        self.asked.append((slot.side, planned.path, expected.body_bytes))
        value = 1e7 * self._truth(slot) * noise(slot)
        lost = slot.position in self._lost
        return trial_record(
            slot.position,
            reason="worker-lost: it was not heard of" if lost else None,
            fault=Fault.WORKER_LOST if lost else None,
            started_ns=0,
            finished_ns=round(self._took_s * SECOND),
            figures={"ttfb_p50": value, "throughput": 1e6, "peak_memory": 1e6, "cpu_per_mb": 1e6},
        )


class Noted(Untold):
    """Keeps what it is told of further trials."""

    def __init__(self) -> None:
        self.why: list[str] = []

    def extended(self, slots: int, why: str) -> None:
        assert slots > 0
        self.why.append(why)


def no_trace(planned: PlannedCase, expected: Verification) -> Trace:
    return Trace(planned.case.identity, "2031-02-03T04:05:06+00:00", "not here")


class Ab:
    """An ab in a store of its own, measured by fakes."""

    def __init__(
        self, path: Path, *, gates: Sequence[MarginGate] = (), terms: Terms | None = None, blocks: int = 8
    ) -> None:
        terms = terms or Terms()
        self.plan = make_plan(
            list(CASES.values()),
            blocks=first_blocks(terms, blocks),
            seed=5,
            warmup_s=0,
            window_s=1,
            sides=BOTH,
        )
        header = run_header(
            cases=[planned.case for planned in CASES.values()],
            slots=self.plan.slots,
            blocks=self.plan.blocks,
            sides=SIDES,
            margin_gates=tuple(gates),
            terms=terms,
            environment={"cpu_count": 2},
        )
        self.path = path
        self.told = Noted()
        with Store.create(path, header) as store:
            store.add_verifications(
                {identity: verification(body_bytes=2) for identity in CASES},
                {identity: verification(body_bytes=1) for identity in CASES},
            )

    def measured(
        self, truth: Truth, took_s: float = 2, lost: Collection[int] = ()
    ) -> tuple[Run, FakeMeasurer]:
        measurer = FakeMeasurer(truth, took_s, lost)
        arms: Arms = {
            side: {identity: replace(planned, path=f"/{side}") for identity, planned in CASES.items()}
            for side in BOTH
        }
        with Store.open(self.path, writable=True) as store:
            measure(arms, store, measurer, no_trace, self.told, onward_of_ab(self.plan))
            return store.read(), measurer


def worse(case: str = STREAM, *, confirming: bool = True) -> Truth:
    """Head of this case takes half as long again; in the blocks that confirm only if so."""
    return lambda slot: (
        1.5 if slot.case == case and slot.side is Side.HEAD and (confirming or not slot.confirming) else 1
    )


def equal(_slot: Slot) -> float:
    return 1


def test_each_trial_is_of_its_side_and_held_to_what_that_side_answered(tmp_path: Path) -> None:
    run, measurer = Ab(tmp_path / "ab.sqlite").measured(equal)
    assert measurer.slots == list(run.header.slots)
    assert {side: (path, size) for side, path, size in measurer.asked} == {
        Side.BASE: ("/base", 1),
        Side.HEAD: ("/head", 2),
    }
    assert run.finished_utc


def test_equal_sides_are_measured_once(tmp_path: Path) -> None:
    ab = Ab(tmp_path / "ab.sqlite", gates=[gate()])
    run, _ = ab.measured(equal)
    assert run.header.slots == ab.plan.slots
    assert [item.worse for item in outcomes(run)] == [False]
    assert ab.told.why == []


def test_a_worse_is_measured_again_in_as_many_blocks_of_its_case_alone(tmp_path: Path) -> None:
    ab = Ab(tmp_path / "ab.sqlite", gates=[gate(), gate(OTHER)])
    run, _ = ab.measured(worse())
    again = [slot for slot in run.header.slots if slot.confirming]
    assert {slot.case for slot in again} == {STREAM}
    assert sorted(slot.block for slot in again) == sorted([*range(8, 16)] * 2)
    assert run.header.blocks == 8
    assert [item.worse for item in outcomes(run)] == [True, False]
    (why,) = ab.told.why
    assert gate().name in why
    assert gate(OTHER).name not in why


def test_a_worse_that_does_not_come_again_is_not_confirmed(tmp_path: Path) -> None:
    run, _ = Ab(tmp_path / "ab.sqlite", gates=[gate()]).measured(worse(confirming=False))
    (item,) = outcomes(run)
    assert item.first.failed
    assert not item.worse


def test_without_gates_nothing_is_confirmed(tmp_path: Path) -> None:
    run, _ = Ab(tmp_path / "ab.sqlite").measured(worse())
    assert not any(slot.confirming for slot in run.header.slots)


@pytest.mark.parametrize("trials", [0, 3, 56, 60, 71])
def test_an_ab_that_was_interrupted_anywhere_goes_on_to_the_same_end(tmp_path: Path, trials: int) -> None:
    count = itertools.count()

    def until(slot: Slot) -> float:
        if next(count) == trials:
            raise KeyboardInterrupt
        return worse()(slot)

    whole, _ = Ab(tmp_path / "whole.sqlite", gates=[gate()]).measured(worse())
    assert len(whole.header.slots) == 56 + 16
    ab = Ab(tmp_path / "ab.sqlite", gates=[gate()])
    with pytest.raises(KeyboardInterrupt):
        ab.measured(until)
    run, second = ab.measured(worse())
    assert len(second.slots) == 72 - trials
    assert run.header.slots == whole.header.slots
    assert [trial.slot for trial in run.trials] == [trial.slot for trial in whole.trials]
    assert outcomes(run)[0].worse
    assert ab.measured(worse())[1].slots == []


def looked(path: Path, truth: Truth) -> int:
    run, _ = Ab(path, gates=[gate()], terms=Terms(Stopping.DECIDED)).measured(truth)
    return run.header.blocks


def test_it_looks_until_each_gate_is_decided(tmp_path: Path) -> None:
    assert looked(tmp_path / "equal.sqlite", equal) == 7
    assert looked(tmp_path / "worse.sqlite", worse()) == 7

    def at_the_margin(slot: Slot) -> float:
        """At 5% plus and minus 2%: nobody can tell."""
        beyond = 0.02 * (-1) ** slot.block
        return 1.05 + beyond if slot.case == STREAM and slot.side is Side.HEAD else 1

    assert looked(tmp_path / "margin.sqlite", at_the_margin) == 20

    def late(slot: Slot) -> float:
        """The same, and clearly worse from the eighth block on."""
        return 1.5 if slot.side is Side.HEAD and slot.block >= 7 else at_the_margin(slot)

    assert looked(tmp_path / "late.sqlite", late) in {10, 15}


def test_a_gate_that_failed_at_a_look_is_confirmed_in_as_many_blocks(tmp_path: Path) -> None:
    ab = Ab(tmp_path / "ab.sqlite", gates=[gate()], terms=Terms(Stopping.DECIDED))
    run, _ = ab.measured(worse())
    assert len({slot.block for slot in run.header.slots if slot.confirming}) == run.header.blocks == 7


def test_a_budget_is_filled_by_what_the_first_block_took(tmp_path: Path) -> None:
    ab = Ab(tmp_path / "ab.sqlite", terms=Terms(Stopping.BUDGET, 80))
    run, _ = ab.measured(equal, took_s=1)  # seven trials a block
    assert run.header.blocks == 11
    (why,) = ab.told.why
    assert "a block took 7.0 s: 1:20 minutes are 11 blocks" in why
    assert "depends on the noise" in why


def test_a_lost_trial_makes_no_block_longer_and_is_told_of_an_ab(tmp_path: Path) -> None:
    ab = Ab(tmp_path / "ab.sqlite", terms=Terms(Stopping.BUDGET, 80))
    lost = next(slot for slot in ab.plan.slots if not slot.control)
    run, _ = ab.measured(equal, took_s=1, lost={lost.position})
    assert "a block took 7.0 s: 1:20 minutes are 11 blocks" in ab.told.why[0]
    assert [slot.position for slot in run.header.slots] == [*range(7 * 11 + 1)]
    assert run.header.blocks == 11
    (valid,) = [trial for trial in run.trials if trial.slot.place == lost.place and trial.reason is None]
    assert lost.side is not None
    assert trials_of(run, CASES[lost.case].case, lost.side)[lost.block] == valid
    found = find_ab(run)
    assert (found.repeated, ab_document(found)["repeated"], found.untrusted) == (1, 1, False)
    for told in (export(found), ab_html(found, run)):
        assert "1 of 1 invalid trials measured once more" in told


def test_a_budget_that_turns_out_too_small_is_exceeded_for_the_gates_and_says_so(tmp_path: Path) -> None:
    ab = Ab(tmp_path / "ab.sqlite", gates=[gate()], terms=Terms(Stopping.BUDGET, 20))
    run, _ = ab.measured(equal, took_s=1)
    assert run.header.blocks == 5
    assert "are 2 blocks, and the gates need 5: the budget is exceeded" in ab.told.why[0]


def one_block() -> Plan:
    return make_plan(list(CASES.values()), blocks=1, seed=5, warmup_s=0, window_s=1, sides=BOTH)


def test_a_budget_without_room_is_refused_with_what_it_needs() -> None:
    block_s = one_block().expected_s
    assert check_budget(5 * block_s + 1, one_block(), 5) == 5
    with pytest.raises(UsageError, match=r"is 4 blocks of about 11 s, and 5 are needed for its gates"):
        check_budget(5 * block_s - 1, one_block(), 5)
    with pytest.raises(UsageError, match=r"is 0 blocks of about 11 s, and 1 is needed to measure anything"):
        check_budget(1, one_block(), 1)


def test_what_can_be_seen_is_told_of_the_number_of_blocks_alone() -> None:
    assert "A verdict needs 5 blocks" in what_can_be_seen(4)
    assert [smallest_change(blocks, 0.06) for blocks in (8, 10, 20)] == pytest.approx(
        [1.16, 1.14, 1.11], abs=0.01
    )
    assert blocks_that_fit(10, 3) == 3
    assert blocks_that_fit(-1, 3) == 0


def run_blocks(path: Path, truth: Mapping[bool, Truth], gates: Sequence[GatedCase]) -> Run:
    """A run until decided; the truth of its baseline is that of True."""
    terms = Terms(Stopping.DECIDED)
    plan = make_plan(list(CASES.values()), blocks=first_blocks(terms, 3), seed=5, warmup_s=0, window_s=1)
    header = run_header(
        cases=[planned.case for planned in CASES.values()], slots=plan.slots, blocks=7, terms=terms
    )
    measurer = FakeMeasurer(lambda slot: truth[slot.case == WHOLE](slot))
    with Store.create(path, header) as store:
        store.add_verifications({identity: verification() for identity in CASES})
        measure({None: CASES}, store, measurer, no_trace, Noted(), onward_of_run(plan, gates))
        return store.read()


@pytest.mark.parametrize(
    ("ratio", "blocks"), [(lambda _: 0.1, 7), (lambda slot: 0.5 + 0.1 * (-1) ** slot.block, 20)]
)
def test_a_run_looks_until_its_gates_or_its_verdicts_are_decided(
    tmp_path: Path, ratio: Truth, blocks: int
) -> None:
    limit = GatedCase("it", CASES[STREAM].case, at_most("0.5 of baseline"))
    gated = run_blocks(tmp_path / "gated.sqlite", {True: equal, False: ratio}, [limit])
    assert gated.header.blocks == blocks
    assert gated.finished_utc


def test_a_run_without_gates_looks_until_its_verdicts_are_decided(tmp_path: Path) -> None:
    clear = run_blocks(tmp_path / "clear.sqlite", {True: equal, False: lambda _: 0.1}, [])
    assert clear.header.blocks == 7
    near = run_blocks(
        tmp_path / "near.sqlite",
        {True: equal, False: lambda slot: 1.05 + 0.02 * (-1) ** slot.block},
        [],
    )
    assert near.header.blocks == 20
