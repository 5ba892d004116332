"""Suites with others beside their streams: what may be said, which cases come of it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.scope import headline_of
from harness.suites.gates import gates_of, margin_gates_of
from harness.suites.matrix import PlannedCase, cases_of
from harness.suites.plan import TRIAL_OVERHEAD_S, make_plan
from harness.trials.trial import others_beside
from harness.trials.validity import broken_rules
from results.case import Case
from results.errors import UsageError
from results.records import MISSING, OthersRecord, Outcome
from results.store import Store
from results.terms import FailOn, Terms
from scenarios.specification import Arrivals, Download, Others, SlowReader
from tests.harness.examples import ORDERS, SCENARIO, orders, suite_of
from tests.results.examples import (
    OPEN_NS,
    SECOND,
    STREAM,
    load_record,
    request,
    request_array,
    run_header,
    trial_record,
    verification,
)

MIXED = '\n[[scenario]]\nkind = "mixed"\nusers = [1, 4]\nothers = [20, 50]\n'
SLOW = (
    '\n[[scenario]]\nkind = "slow-reader"\nrate = ["256KiB/s", "1MiB/s"]\nalone = "2s"\npatience = "500ms"\n'
)


def mistakes(scenario: str) -> str:
    with pytest.raises(UsageError) as told:
        suite_of(ORDERS.replace(SCENARIO, scenario))
    return str(told.value)


def loads(cases: list[PlannedCase]) -> set[tuple[object, object]]:
    return {(planned.load, planned.others) for planned in cases}


def test_every_list_is_an_axis() -> None:
    assert loads(orders(scenario=MIXED)) == {
        (Download(users), Others(rate, 1, 1)) for users in (1, 4) for rate in (20, 50)
    }
    assert loads(orders(scenario=SLOW)) == {
        (SlowReader(1, size), Others(20, 2, 0.5)) for size in (2**18, 2**20)
    }


def test_a_case_is_told_by_what_is_asked_and_others_keep_their_identity() -> None:
    plain, mixed, slow = orders(), orders(scenario=MIXED), orders(scenario=SLOW)
    assert not any("others" in planned.case.identity for planned in plain)
    assert len({planned.case.identity for planned in [*plain, *mixed, *slow]}) == 3 + 12 + 6
    assert " others=20 patience_s=1 " in mixed[0].case.identity
    assert " others=20 patience_s=0.5 rate=256KiB/s " in slow[0].case.identity
    again = orders(scenario=SLOW.replace('"1MiB/s"', '"1024KiB/s"'))
    assert [planned.case.identity for planned in again] == [planned.case.identity for planned in slow]


@pytest.mark.parametrize(
    ("scenario", "old", "new", "told"),
    [
        (SLOW, '["256KiB/s", "1MiB/s"]', "256", ["20: scenario.1.rate.1", '"256KiB/s" or "1.5MiB/s"', "256"]),
        (SLOW, '"256KiB/s"', '"1MB"', ["20: scenario.1.rate.1", "not a number of bytes a second"]),
        (SLOW, '"256KiB/s"', '"0.5KiB/s"', ["scenario.1.rate.1", "from 1KiB/s to 1GiB/s"]),
        (SLOW, '"256KiB/s"', '"1024KiB/s"', ["scenario.1.rate", "the same value twice"]),
        (SLOW, 'rate = ["256KiB/s", "1MiB/s"]\n', "", ["scenario.1.rate: missing"]),
        (SLOW, '"500ms"', "0", ["22: scenario.1.patience", "greater than 0"]),
        (SLOW, 'alone = "2s"', 'spacing = "poisson"', ["scenario.1.spacing", 'a key of kind = "arrivals"']),
        (MIXED, "[20, 50]", "0", ["21: scenario.1.others.1", "greater than 0"]),
        (MIXED, "others", "other", ["scenario.1.other", "known are kind, users, others"]),
        (MIXED, "others = [20, 50]", 'rate = "1MiB/s"', ["scenario.1.rate", "no use for it"]),
    ],
)
def test_a_mistake_is_told_with_its_place(scenario: str, old: str, new: str, told: list[str]) -> None:
    assert old in scenario
    text = mistakes(scenario.replace(old, new, 1))
    for words in told:
        assert words in text


def test_a_slow_reader_needs_a_timeout_longer_than_all_that_it_may_read() -> None:
    given = ORDERS.replace(SCENARIO, SLOW).replace("rows = [1, 500]", 'rows = [1, 500]\ntimeout = "2.5s"')
    with pytest.raises(UsageError, match=r"may read for as long as .* take \(2\.5 s\), and orders\.csv has"):
        suite_of(given)
    assert suite_of(given.replace('"2.5s"', '"2.6s"'))


def test_two_scenarios_that_differ_in_what_is_alone_only_are_refused() -> None:
    with pytest.raises(UsageError, match=r"describe the same case .* with a different others"):
        orders(scenario=MIXED + MIXED + 'alone = "3s"\n')


def test_a_plan_has_room_for_the_time_alone_and_refuses_too_few_others() -> None:
    cases = orders(scenario=SLOW)
    plan = make_plan(cases, blocks=2, seed=1, warmup_s=0.5, window_s=2)
    assert plan.expected_s == pytest.approx(2 * 8 * (2 + 0.5 + 2 + TRIAL_OVERHEAD_S))
    few = orders(scenario=MIXED.replace("[20, 50]", "9"))
    with pytest.raises(UsageError, match=r"would send 9 requests before the first stream, and 10 are needed"):
        make_plan(few, blocks=2, seed=1, warmup_s=0.5, window_s=2)


def test_the_others_of_a_trial_ask_for_the_readiness_path_with_their_own_patience() -> None:
    planned = orders(scenario=SLOW)[0]
    found = verification(others_status=204, others_body_bytes=7, others_digest="00000000000000ff")
    asked = others_beside(planned, found, 8000, warmup_s=0.5, window_s=2, seed="7/1")
    assert asked is not None
    assert (asked.address.path, asked.address.timeout_s) == ("/", 0.5)
    assert (asked.status, asked.body_bytes, asked.digest) == (204, 7, 255)
    assert (asked.warmup_s, asked.window_s, asked.schedule_seed) == (2.5, 2, "7/1")
    assert asked.load == Arrivals(20, "poisson", 30)
    assert others_beside(orders()[0], found, 8000, warmup_s=0.5, window_s=2, seed="") is None


def gate(case: str, metric: str, limit: str = "at_most", amount: str = "2 of baseline") -> str:
    return f'\n[[gate]]\ncase = "{case}"\nmetric = "{metric}"\n{limit} = "{amount}"\n'


@pytest.mark.parametrize(
    ("scenario", "metric", "told"),
    [
        (SCENARIO, "others_ttlb_p50", "nobody asks anything beside the streams"),
        (SLOW.replace('["256KiB/s", "1MiB/s"]', '"1MiB/s"'), "ttlb_p50", "the reader sets the pace"),
    ],
)
def test_a_gate_on_a_figure_that_its_case_cannot_have_is_refused(
    scenario: str, metric: str, told: str
) -> None:
    suite = suite_of(ORDERS.replace(SCENARIO, scenario) + gate("rows=500", metric))
    with pytest.raises(UsageError, match=f"the gate on {metric} of 'rows=500' has nothing to judge: {told}"):
        gates_of(suite, cases_of(suite), 8)


def test_a_gate_may_rest_on_what_others_wait_and_on_how_many_have_no_answer() -> None:
    text = ORDERS.replace(SCENARIO, MIXED.replace("[1, 4]", "1").replace("[20, 50]", "20"))
    text += gate("rows=500", "others_ttlb_p50") + gate("rows=500", "others_unanswered", amount="5 %")
    suite = suite_of(text)
    gates, _ = gates_of(suite, cases_of(suite), 8)
    assert [(item.limit.value, item.limit.of_baseline) for item in gates] == [(2, True), (0.05, False)]


def test_to_fail_on_worse_asks_of_each_case_what_it_can_tell() -> None:
    suite = suite_of(ORDERS.replace(SCENARIO, SLOW.replace('["256KiB/s", "1MiB/s"]', '"1MiB/s"')))
    gates, _ = margin_gates_of(suite, cases_of(suite), 12, Terms(fail_on=FailOn.WORSE))
    told = {"ttfb_p50", "peak_memory", "cpu_per_mb", "others_ttlb_p50", "worker_held", "others_unanswered"}
    assert {item.metric for item in gates} == told
    assert "throughput" not in headline_of(gates[0].case)
    assert headline_of(Case(STREAM.parameters, None)) == [
        "ttfb_p50",
        "ttfb_p95",
        "throughput",
        "peak_memory",
        "cpu_per_mb",
    ]


def others(*requests: dict[str, int]) -> OthersRecord:
    begin = OPEN_NS - 2 * SECOND
    return OthersRecord(begin, OPEN_NS - SECOND, SECOND, request_array(requests), {"nobody there": 3})


def small(intended_ns: int, **fields: int) -> dict[str, int]:
    return request(**{"intended_ns": intended_ns, "sent_ns": intended_ns, "late_ns": 0} | fields)


ALONE = [small(OPEN_NS - 3 * SECOND // 2)] * 10
BESIDE = [small(OPEN_NS + SECOND)] * 10


def of_others(*requests: dict[str, int]) -> list[str]:
    record = load_record([request()], client_wall_ns=10 * SECOND, others=others(*requests))
    return [item.text for item in broken_rules(record, None)]


def test_what_streams_do_to_others_spoils_no_trial_and_what_they_cannot_have_done_does() -> None:
    failed = {"outcome": Outcome.TIMED_OUT, "last_ns": MISSING}
    assert of_others(*ALONE, *BESIDE) == []
    assert of_others(*ALONE, *(item | failed for item in BESIDE)) == []
    (alone,) = of_others(*ALONE, ALONE[0] | failed, *BESIDE)
    assert alone.startswith("1 of 11 small requests had no answer before there was any stream: nobody there")
    (late,) = of_others(*ALONE, *(item | {"late_ns": SECOND} for item in BESIDE))
    assert late.startswith("10 of 10 small requests began more than")
    (none,) = of_others(*ALONE)
    assert none.startswith("10 small requests were wanted alone and 0 beside streams")


def test_they_are_stored_apart_and_come_back(tmp_path: Path) -> None:
    given = others(*ALONE, *BESIDE, small(OPEN_NS, outcome=Outcome.RESET, last_ns=MISSING))
    with Store.create(tmp_path / "run.sqlite", run_header()) as store:
        store.add_trial(trial_record(0, load=load_record([request()], others=given)))
        store.add_trial(trial_record(1))
        found = store.others(0)
        assert found is not None
        assert (found.requests == given.requests).all()
        assert (found.begin_ns, found.streams_begin_ns, found.patience_ns, found.errors) == (
            given.begin_ns,
            given.streams_begin_ns,
            given.patience_ns,
            given.errors,
        )
        assert store.others(1) is None
        assert len(store.requests(0)) == 1
        with_others, without = store.read().trials
        assert with_others.outcomes == {"verified": 1}
        assert with_others.others is not None
        assert with_others.others.outcomes == {"verified": 10, "reset": 1}  # inside the window
        assert without.others is None
