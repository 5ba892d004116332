"""Cases of an open loop: their identity, labels, patterns and gates, beside those of a closed one."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.summary import labels
from harness.suites.file import parse_suite
from harness.suites.gates import gates_of
from harness.suites.matrix import PlannedCase, case_of_gate, cases_of, matches
from harness.suites.plan import make_plan
from results.errors import UsageError
from results.store import Store
from scenarios.specification import Arrivals, Download
from tests.harness.examples import ARRIVALS, HEAD, SCENARIO, SERVER, TARGET, orders, suite_of
from tests.results.examples import run_header

BOTH = HEAD + TARGET + SERVER + SCENARIO + ARRIVALS
GATE = """
[[gate]]
case = "rows=500 rate=50 poisson"
metric = "ttfb_effective_p95"
at_most = "0.5 of baseline"
"""


def named(cases: list[PlannedCase], identity: str) -> PlannedCase:
    return {planned.case.identity: planned for planned in cases}[identity]


def test_a_closed_loop_keeps_the_identity_that_it_had_before_there_was_an_open_one() -> None:
    identity = (
        "form=stream keep_alive=true rows=500 scenario=download server=gunicorn target=orders.csv "
        "timeout_s=30 total=100 users=1 worker_class=sync workers=1"
    )
    assert named(orders(), identity).load == Download(1)
    assert named(cases_of(suite_of(BOTH)), identity).load == Download(1)


def test_arrivals_are_told_apart_by_rate_and_spacing() -> None:
    identity = (
        "form=stream keep_alive=true rate=50 rows=500 scenario=arrivals server=gunicorn spacing=poisson "
        "target=orders.csv timeout_s=30 total=100 worker_class=sync workers=1"
    )
    cases = orders(scenario=ARRIVALS)
    assert len({planned.case.identity for planned in cases}) == len(cases) == 4 * 3
    assert named(cases, identity).load == Arrivals(50, "poisson", 1000)
    whole = named(cases, named(cases, identity).case.baseline or "")
    assert whole.load == Arrivals(50, "poisson", 1000)


def test_a_rate_is_the_same_however_it_is_written() -> None:
    one, other = (orders(scenario=ARRIVALS.replace("[20, 50]", rate)) for rate in ("50", "50.0"))
    assert [planned.case.identity for planned in one] == [planned.case.identity for planned in other]
    assert " rate=0.5 " in orders(scenario=ARRIVALS.replace("[20, 50]", "0.50"))[0].case.identity


def test_labels_say_rate_and_spacing_where_they_differ() -> None:
    def of(text: str) -> set[str]:
        cases = [planned.case for planned in cases_of(suite_of(text))]
        return {label for case, label in zip(cases, labels(cases).values(), strict=True) if not case.baseline}

    assert of(HEAD + TARGET + SERVER + ARRIVALS) == {
        f"orders.csv whole rate={rate} {spacing}" for rate in (20, 50) for spacing in ("constant", "poisson")
    }
    one_rate = ARRIVALS.replace("[20, 50]", "20").replace('["constant", "poisson"]', '"poisson"')
    assert of(HEAD + TARGET + SERVER + one_rate) == {"orders.csv whole"}
    assert of(HEAD + TARGET + SERVER + one_rate + SCENARIO) == {
        "orders.csv whole arrivals",
        "orders.csv whole download",
    }


def test_patterns_name_arrivals_by_their_values() -> None:
    cases = cases_of(suite_of(BOTH))
    assert case_of_gate(cases, "rows=500 rate=50 poisson").load == Arrivals(50, "poisson", 1000)
    assert case_of_gate(cases, "rows=500 download").load == Download(1)
    chosen = cases_of(suite_of(BOTH), "rows=1 rate=20 constant")
    assert [planned.path for planned in chosen] == ["/whole?total=100", "/rows?total=100&rows=1"]
    assert {planned.load for planned in chosen} == {Arrivals(20, "constant", 1000)}
    assert not [planned for planned in cases if matches(planned.case, "arrivals users=1")]


def test_one_case_with_two_bounds_is_refused() -> None:
    """Else the second would silently not be measured."""
    with pytest.raises(
        UsageError, match=r"two scenarios .*same case .*most_in_flight=1000.*most_in_flight=7"
    ):
        orders(scenario=ARRIVALS + ARRIVALS + "most_in_flight = 7\n")
    assert len(orders(scenario=ARRIVALS + ARRIVALS)) == len(orders(scenario=ARRIVALS))


def test_a_gate_on_effective_latency_needs_a_schedule() -> None:
    suite = suite_of(BOTH + GATE)
    (gate,), left_out = gates_of(suite, cases_of(suite), blocks=8)
    assert " spacing=poisson " in gate.case.identity
    assert left_out == []
    closed = suite_of(BOTH + GATE.replace("rate=50 poisson", "download"))
    with pytest.raises(UsageError, match=r"ttfb_effective_p95 of 'rows=500 download'.*kind = \"arrivals\""):
        gates_of(closed, cases_of(closed), blocks=8)


def test_a_stored_plan_has_the_cases_of_its_suite_again(tmp_path: Path) -> None:
    """Or a run could not be resumed."""
    text = BOTH.replace("[20, 50]", "[20, 0.7]")
    cases = cases_of(suite_of(text))
    plan = make_plan(cases, blocks=2, seed=3, warmup_s=0.5, window_s=2)
    header = run_header(cases=[planned.case for planned in cases], slots=plan.slots, suite_toml=text)
    with Store.create(tmp_path / "run.sqlite", header) as store:
        stored = store.read().header
    again = [
        planned.case.identity for planned in cases_of(parse_suite(stored.suite_toml, "run.sqlite", None))
    ]
    assert [case.identity for case in stored.cases] == again
    assert {slot.case for slot in stored.slots} == set(again)
