"""The order of a run: blocks that hold everything, shuffled by the seed and nothing else."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.suites.plan import Plan, make_plan
from results.errors import UsageError
from tests.harness.examples import ARRIVALS, FAILING, TARGET, orders

CASES = orders(target=TARGET.replace("[1, 500]", "[1, 5, 50, 500, 5000]") + FAILING)
TIMED = [planned.case for planned in CASES if not planned.case.expect_failure]
SEEDS = st.integers(0, 2**31)


def plan(blocks: int, seed: int) -> Plan:
    return make_plan(CASES, blocks=blocks, seed=seed, warmup_s=0.5, window_s=2.0)


@given(st.integers(1, 12), SEEDS)
def test_a_block_holds_each_case_once_and_each_baseline_twice(blocks: int, seed: int) -> None:
    made = plan(blocks, seed)
    assert [slot.position for slot in made.slots] == list(range(blocks * (len(TIMED) + 1)))
    assert [slot.block for slot in made.slots] == sorted(slot.block for slot in made.slots)
    for block in range(blocks):
        held = Counter((slot.case, slot.control) for slot in made.slots if slot.block == block)
        wanted = [(case.identity, False) for case in TIMED]
        wanted += [(case.identity, True) for case in TIMED if case.is_baseline]
        assert held == Counter(wanted)


@given(st.integers(1, 5), st.integers(0, 5), SEEDS)
def test_more_blocks_change_no_earlier_one(blocks: int, more: int, seed: int) -> None:
    short, long = plan(blocks, seed), plan(blocks + more, seed)
    assert long.slots[: len(short.slots)] == short.slots


def test_the_order_is_the_seed_s() -> None:
    assert plan(4, 7).slots == plan(4, 7).slots
    assert plan(4, 7).slots != plan(4, 8).slots


def test_each_block_has_an_order_of_its_own_in_which_any_case_may_come_first() -> None:
    made = plan(200, 1)
    size = len(TIMED) + 1
    orders_seen = {
        tuple((slot.case, slot.control) for slot in made.slots[start : start + size])
        for start in range(0, len(made.slots), size)
    }
    assert len(orders_seen) > 150
    first = Counter((slot.case, slot.control) for slot in made.slots[::size])
    assert len(first) == size
    # 200 blocks, 7 arms: 29 each if chance decides; 8 or 60 have a chance below one in a million
    assert min(first.values()) > 8
    assert max(first.values()) < 60


def test_a_case_that_must_fail_is_never_timed_and_stays_in_the_plan() -> None:
    made = plan(2, 1)
    failing = {planned.case.identity for planned in CASES if planned.case.expect_failure}
    assert len(failing) == 2
    assert failing.isdisjoint(slot.case for slot in made.slots)
    assert failing < {planned.case.identity for planned in made.cases}


def test_the_expected_time_grows_with_every_trial_s_parts() -> None:
    usual = plan(4, 1)
    assert usual.expected_s > len(usual.slots) * 2.5
    assert plan(8, 1).expected_s == pytest.approx(2 * usual.expected_s)
    longer = make_plan(CASES, blocks=4, seed=1, warmup_s=1.5, window_s=3.0)
    assert longer.expected_s - usual.expected_s == pytest.approx(2 * len(usual.slots))


@pytest.mark.parametrize(
    ("rate", "window_s", "words"),
    [
        (
            400_001,
            2.0,
            r"would send 1,000,002 requests in each trial, more than 1,000,000; make its rate smaller",
        ),
        (0.4, 2.0, r"would send 0\.8 requests in a window of 2 s; make its rate greater"),
        (400_000, 2.0, None),
        (0.5, 2.0, None),
    ],
)
def test_arrivals_that_are_far_too_many_or_none_are_refused(
    rate: float, window_s: float, words: str | None
) -> None:
    cases = orders(scenario=ARRIVALS.replace("[20, 50]", str(rate)))
    if words is None:
        assert make_plan(cases, blocks=1, seed=1, warmup_s=0.5, window_s=window_s).slots
        return
    with pytest.raises(UsageError, match=f"the case form=whole .*spacing=constant .*{words}"):
        make_plan(cases, blocks=1, seed=1, warmup_s=0.5, window_s=window_s)


def test_a_plan_of_nothing_but_expected_failures_is_refused() -> None:
    failing = [planned for planned in orders(target=TARGET + FAILING) if planned.case.expect_failure]
    assert failing
    with pytest.raises(UsageError, match="nothing would be timed"):
        make_plan(failing, blocks=3, seed=1, warmup_s=0, window_s=1)
