"""The order of an ab's trials: sides, controls, and blocks that come later."""

from __future__ import annotations

from collections import Counter

from harness.suites.plan import Plan, make_plan
from results.sides import Side
from tests.harness.examples import FAILING, TARGET, orders

CASES = orders(target=TARGET + FAILING)
BOTH = (Side.BASE, Side.HEAD)


def ab_plan(blocks: int = 4, seed: int = 1) -> Plan:
    return make_plan(CASES, blocks=blocks, seed=seed, warmup_s=0.5, window_s=2, sides=BOTH)


def test_each_block_has_each_case_on_both_sides_and_base_s_whole_form_twice() -> None:
    plan = ab_plan()
    for block in range(4):
        slots = Counter((slot.case, slot.side, slot.control) for slot in plan.slots if slot.block == block)
        timed = [planned.case for planned in CASES if not planned.case.expect_failure]
        wanted = [(case.identity, side, False) for case in timed for side in BOTH]
        wanted += [(case.identity, Side.BASE, True) for case in timed if case.is_baseline]
        assert slots == Counter(wanted)
    assert [slot.position for slot in plan.slots] == list(range(len(plan.slots)))


def test_sides_are_no_part_of_a_case_s_identity() -> None:
    plain = make_plan(CASES, blocks=1, seed=1, warmup_s=0.5, window_s=2)
    assert {slot.case for slot in ab_plan().slots} == {slot.case for slot in plain.slots}
    assert {slot.side for slot in plain.slots} == {None}


def test_the_sides_take_turns_at_random_and_the_seed_repeats_the_order() -> None:
    plan = ab_plan(blocks=40)
    assert plan == ab_plan(blocks=40)
    assert plan.slots != ab_plan(blocks=40, seed=2).slots
    first = Counter(next(slot.side for slot in plan.slots if slot.block == block) for block in range(40))
    assert min(first[Side.BASE], first[Side.HEAD]) >= 8
    # neighbours of one block are of both sides: the machine's drift hits them alike
    assert any(one.side is not other.side for one, other in zip(plan.slots, plan.slots[1:], strict=False))


def test_later_blocks_are_those_that_a_longer_plan_has() -> None:
    short, long = ab_plan(blocks=2), ab_plan(blocks=5)
    assert [*short.slots, *short.further(range(2, 5), len(short.slots))] == long.slots


def test_what_confirms_has_the_named_cases_only_and_an_order_of_its_own() -> None:
    plan = ab_plan(blocks=3)
    case = next(planned.case.identity for planned in CASES if not planned.case.is_baseline)
    slots = plan.confirming({case}, range(3, 6), len(plan.slots))
    assert {(slot.case, slot.control, slot.confirming) for slot in slots} == {(case, False, True)}
    assert Counter((slot.block, slot.side) for slot in slots) == Counter(
        (block, side) for block in (3, 4, 5) for side in BOTH
    )
    assert [slot.position for slot in slots] == list(range(len(plan.slots), len(plan.slots) + 6))


def test_an_ab_traces_nothing() -> None:
    assert ab_plan().tracing_s == 0
    assert make_plan(CASES, blocks=1, seed=1, warmup_s=0.5, window_s=2).tracing_s > 0
