"""How the load of several processes is told: by whom, how surely, and which trials had fewer of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from analysis.load_side import HEADINGS, LoadSide, called, doubts_of, load_side, rows
from results.case import Case
from results.run import Run
from results.workers import Worker
from tests.analysis.crews import BOUND_NS, CREW, REQUESTS, shared, worker
from tests.analysis.examples import Invalid, calibrated, run_of
from tests.results.examples import WHOLE

MEASURED: dict[str, float | None] = {"ttfb_p50": 1e6}


def of_users(users: int | None, *, trials: int = 4, **invalid: Invalid) -> Run:
    """A run of one case with so many users; its last trial is ``invalid`` where one is given."""
    parameters = {key: value for key, value in WHOLE.parameters.items() if key != "users"}
    case = Case(parameters if users is None else {**parameters, "users": users}, baseline=None)
    return run_of((case, [MEASURED] * trials + list(invalid.values())))


def told(run: Run) -> LoadSide:
    found = load_side(run)
    assert found is not None
    return found


def numbered(run: Run) -> Run:
    """Each trial at the position that it has in a stored run."""
    return replace(
        run,
        trials=[
            replace(trial, slot=replace(trial.slot, position=index)) for index, trial in enumerate(run.trials)
        ],
    )


def test_the_run_s_own_driver_needs_no_words() -> None:
    assert load_side(of_users(4)) is None
    assert list(doubts_of(None)) == []


@pytest.mark.parametrize(
    ("workers", "place", "bound_ns", "words"),
    [
        (CREW, "elsewhere", BOUND_NS, "by 2 load processes on 2 machines"),
        (CREW, "elsewhere", None, "by 2 load processes on 2 machines"),
        ([worker(0), worker(1)], "elsewhere", BOUND_NS, "by 2 load processes on 1 machine"),
        ([worker(0)], "elsewhere", BOUND_NS, "by 1 load process on 1 machine"),
        (CREW, "elsewhere", 0, "by 2 load processes on this machine"),
        ([worker(0), worker(1)], "here", 0, "by 2 load processes on this machine"),
    ],
)
def test_how_many_made_the_load_and_where(
    workers: Sequence[Worker], place: str, bound_ns: int | None, words: str
) -> None:
    run = shared(of_users(4), workers, place=place, bound_ns=bound_ns)
    assert told(run).made == words


def test_one_that_took_another_s_place_is_no_process_more() -> None:
    run = shared(of_users(4))
    later = replace(run, workers=[*run.workers, worker(2, "load-c")])
    assert told(later).made == "by 2 load processes on 3 machines; 3 have joined in all"
    assert told(replace(run, workers=[])).made == "by 2 load processes on other machines"


def test_each_worker_s_part_is_summed_over_the_run() -> None:
    parts = told(shared(of_users(4), by_first_only={1})).parts
    assert [(part.trials, part.requests) for part in parts] == [(4, 4 * REQUESTS), (3, 3 * REQUESTS)]


def test_the_least_sure_clock_of_all_trials_is_the_bound() -> None:
    run = shared(of_users(4))
    first, *others = run.trials
    sure, unsure = first.workers

    def with_bound(bound_ns: int | None) -> LoadSide:
        workers = [sure, replace(unsure, offset_bound_ns=bound_ns)]
        return told(replace(run, trials=[replace(first, workers=workers), *others]))

    worst, unknown = with_bound(3_000_000), with_bound(None)
    assert worst.offset_bound_ns == 3_000_000
    assert "may be off, by up to 3 ms" in worst.clocks
    bounds = HEADINGS.index("clock off by at most")
    assert [row[bounds] for row in rows(worst)] == ["40 µs", "3 ms"]
    assert unknown.offset_bound_ns is None
    assert "by how much is not known" in unknown.clocks
    one_clock = told(shared(of_users(4), place="here", bound_ns=0))
    assert "all have this machine's clock" in one_clock.clocks


def test_a_trial_that_fewer_made_is_a_doubt_and_no_other_is() -> None:
    run = numbered(shared(of_users(4, bad=Invalid(MEASURED)), by_first_only={1, 3, 4}))
    short = [(trial.position, trial.workers, trial.wanted) for trial in told(run).short]
    assert short == [(1, 1, 2), (3, 1, 2)]
    ((ours, theirs),) = doubts_of(told(run))
    assert ours == "trials 1, 3: 1 of 2 load processes made the load, so that each had more of it"
    assert theirs == "orders whole"
    assert list(doubts_of(told(shared(of_users(4))))) == []


def test_a_case_of_fewer_users_than_processes_is_not_short_of_any() -> None:
    everywhere = set(range(4))
    assert told(shared(of_users(1), by_first_only=everywhere)).short == []
    assert len(told(shared(of_users(2), by_first_only=everywhere)).short) == 4
    # an open loop has no users: there the trials are held against each other
    assert told(shared(of_users(None), by_first_only=everywhere)).short == []
    assert len(told(shared(of_users(None), by_first_only={2})).short) == 1


def test_many_short_trials_are_counted_and_not_all_named() -> None:
    run = numbered(shared(of_users(4, trials=30), by_first_only=set(range(30))))
    ((ours, _),) = doubts_of(told(run))
    assert "trials 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 20 more: " in ours


def test_a_worker_that_was_not_calibrated_is_a_doubt() -> None:
    run = shared(of_users(4))
    first = replace(run, calibration=[calibrated(1000)])
    ((ours, theirs),) = doubts_of(told(first))
    assert "own error of load processes that joined later was not measured" in ours
    assert theirs == "1 (load-b/1)"
    both = replace(run, calibration=[calibrated(1000), replace(calibrated(1000), worker=1)])
    assert list(doubts_of(told(both))) == []


def test_two_workers_of_one_name_are_told_apart() -> None:
    twins = [replace(worker(number), name="x/0") for number in range(2)]
    assert [row[0] for row in rows(told(shared(of_users(4), twins)))] == ["0 (x/0)", "1 (x/0)"]
    assert called(7, twins) == "7"
