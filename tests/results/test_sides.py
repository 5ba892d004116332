"""An ab in the store: its sides, its gates, what each side answered, and blocks that are planned later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from results.errors import MeasurementError
from results.metrics import Margin
from results.records import Slot
from results.run import Run
from results.sides import MarginGate, Preparation, Side, SideRecord
from results.store import Store
from results.terms import FailOn, Stopping, Terms
from tests.results.examples import STREAM, WHOLE, run_header, trial_record, verification

SIDES = (
    SideRecord(Side.BASE, "main", "0" * 40, "/some/repository"),
    SideRecord(Side.HEAD, "HEAD", "f" * 40, "/some/repository"),
)
SLOTS = [
    Slot(0, 0, WHOLE.identity, side=Side.HEAD),
    Slot(1, 0, WHOLE.identity, control=True, side=Side.BASE),
    Slot(2, 0, WHOLE.identity, side=Side.BASE),
]
HEADER = run_header(
    slots=SLOTS,
    blocks=1,
    terms=Terms(Stopping.BUDGET, 90.5, FailOn.WORSE),
    sides=SIDES,
    margin_gates=(
        MarginGate("it", STREAM, "peak_memory", Margin(0.03, 2**20)),
        MarginGate("that", WHOLE, "ttfb_p50", Margin(0.1)),
    ),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / "ab.sqlite", HEADER) as made:
        yield made


def read_again(store: Store) -> Run:
    with Store.open(store.path) as again:
        return again.read()


def test_an_ab_comes_back_as_it_was_given(store: Store) -> None:
    head, base = {WHOLE.identity: verification(body_bytes=2)}, {WHOLE.identity: verification(body_bytes=1)}
    prepared = [
        Preparation(Side.BASE, "/a", ["make", "a b"], "made\n"),
        Preparation(None, "/c", ["x"], ""),
    ]
    store.add_verifications(head, base)
    for preparation in prepared:
        store.add_preparation(preparation)
    store.add_trial(trial_record(1))
    run = read_again(store)
    assert run.header == HEADER
    assert (run.verifications, run.base_verifications) == (head, base)
    assert run.preparations == prepared
    assert [trial.slot for trial in run.trials] == [SLOTS[1]]


def test_a_run_has_no_sides(tmp_path: Path) -> None:
    with Store.create(tmp_path / "run.sqlite", run_header()) as store:
        store.add_verifications({WHOLE.identity: verification()})
        run = store.read()
    assert (run.header.sides, run.header.margin_gates) == ((), ())
    assert run.header.terms == Terms()
    assert run.base_verifications == {}
    assert set(run.verifications) == {WHOLE.identity}


def test_blocks_that_are_planned_later_are_counted_but_for_those_that_confirm(store: Store) -> None:
    more = [Slot(3, 1, WHOLE.identity, side=Side.HEAD), Slot(4, 1, WHOLE.identity, side=Side.BASE)]
    store.add_slots(more)
    assert read_again(store).header.blocks == 2
    confirming = [Slot(5, 2, WHOLE.identity, side=Side.HEAD, confirming=True)]
    store.add_slots(confirming)
    header = read_again(store).header
    assert header.blocks == 2
    assert header.slots == [*SLOTS, *more, *confirming]


def test_a_place_is_planned_once(store: Store) -> None:
    with pytest.raises(MeasurementError):
        store.add_slots([Slot(3, 1, WHOLE.identity, side=Side.HEAD), SLOTS[0]])
    assert read_again(store).header.slots == SLOTS


def test_a_case_is_verified_once_on_each_side(store: Store) -> None:
    found = {WHOLE.identity: verification()}
    store.add_verifications(found, found)
    with pytest.raises(MeasurementError):
        store.add_verifications(found, {})
