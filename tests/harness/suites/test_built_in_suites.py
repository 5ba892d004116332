"""The suites that come with the project: which there are, and that none takes longer than it may."""

from __future__ import annotations

import pytest

from analysis.verdicts.gate import check_power
from harness.suites.file import load_suite
from harness.suites.matrix import case_of_gate, cases_of
from harness.suites.plan import make_plan
from scenarios.built_in import built_in_suites


@pytest.mark.parametrize(
    ("name", "minutes"),
    [
        ("quick", 5),
        ("ci", 6),
        ("events", 5),
        ("files", 5),
        ("full", 90),
        ("memory", 7),
        ("mixed", 6),
        ("slow-reader", 6),
        ("hang-up", 5),
        ("slow-line", 6),
        ("soak", 10),
    ],
)
def test_built_in_suites_take_no_longer_than_they_may(name: str, minutes: float) -> None:
    suite = load_suite(name)
    cases = cases_of(suite)
    plan = make_plan(cases, blocks=suite.blocks, seed=1, warmup_s=suite.warmup, window_s=suite.window)
    assert plan.expected_s + plan.tracing_s < minutes * 60
    check_power(len(suite.gate), suite.blocks)
    for gate in suite.gate:
        case_of_gate(cases, gate.case)


def test_built_in_suites_are_those_of_the_design() -> None:
    assert built_in_suites() == [
        "ci",
        "events",
        "files",
        "full",
        "hang-up",
        "memory",
        "mixed",
        "quick",
        "slow-line",
        "slow-reader",
        "soak",
    ]
    quick = load_suite("quick")
    assert (quick.blocks, quick.window) == (8, 2)
    assert len(cases_of(quick)) == 7
    assert load_suite("ci").gate
    full = load_suite("full")
    assert (full.blocks, full.window >= 3.5) == (10, True)
    cases = [planned.case for planned in cases_of(full)]
    assert {case.parameters["worker_class"] for case in cases} == {"sync", "gthread", "gevent"}
    assert len({case.parameters["users"] for case in cases}) == 2
    assert any(case.expect_failure for case in cases)
