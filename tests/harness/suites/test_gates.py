"""Which gates a run judges and which an ab, and what is refused."""

from __future__ import annotations

import pytest

from analysis.verdicts.verdict import NotJudged
from harness.suites.gates import gates_of, margin_gates_of
from harness.suites.matrix import cases_of
from results.errors import UsageError
from results.metrics import Margin
from results.terms import FailOn, Stopping, Terms
from tests.harness.examples import ORDERS, suite_of

LIMIT = '[[gate]]\ncase = "rows=500"\nmetric = "ttfb_p50"\nat_most = "20 ms"\n'
MARGIN = '[[gate]]\ncase = "rows=500"\nmetric = "throughput"\nmargin = "3%"\n'
SUITE = suite_of(ORDERS + LIMIT + MARGIN)
CASES = cases_of(SUITE)
LIMIT_NAME, MARGIN_NAME = "rows=500: ttfb_p50 at most 20 ms", "rows=500: throughput within 3% of base"


def test_a_run_judges_limits_and_an_ab_margins() -> None:
    (limit,), of_run = gates_of(SUITE, CASES, 8)
    (margin,), of_ab = margin_gates_of(SUITE, CASES, 8, Terms())
    assert (limit.name, of_run) == (LIMIT_NAME, [NotJudged(MARGIN_NAME, "a margin is for ab")])
    assert (margin.name, of_ab) == (MARGIN_NAME, [NotJudged(LIMIT_NAME, "a limit is for run")])
    assert (margin.metric, margin.margin) == ("throughput", Margin(0.03))


def test_a_gate_whose_case_was_left_out_says_so() -> None:
    fewer = cases_of(SUITE, "rows=1")
    for gates, not_judged in (gates_of(SUITE, fewer, 8), margin_gates_of(SUITE, fewer, 8, Terms())):
        assert list(gates) == []
        assert {gate.reason for gate in not_judged} == {"--only left its case out"}


def test_to_fail_on_worse_gates_each_case_in_each_headline_figure_once() -> None:
    gates, _ = margin_gates_of(SUITE, CASES, 20, Terms(fail_on=FailOn.WORSE))
    named = [(gate.case.identity, gate.metric) for gate in gates]
    assert len(named) == len(set(named)) == len(CASES) * 4
    margins = {gate.metric: gate.margin for gate in gates if gate.name != MARGIN_NAME}
    assert margins == {
        "ttfb_p50": Margin(0.05),
        "throughput": Margin(0.05),
        "peak_memory": Margin(0.03, 2**20),
        "cpu_per_mb": Margin(0.05),
    }


@pytest.mark.parametrize(
    ("terms", "blocks", "told"),
    [
        (Terms(), 4, "could never fail with 4 blocks"),
        (Terms(Stopping.DECIDED, fail_on=FailOn.WORSE), 7, "could never fail at the first look"),
        (Terms(fail_on=FailOn.WORSE), 7, "12 gates could never fail with 7 blocks"),
    ],
)
def test_a_family_that_could_never_fail_is_refused(terms: Terms, blocks: int, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        margin_gates_of(SUITE, CASES, blocks, terms)


@pytest.mark.parametrize("layer", ['middleware = "compress-gzip"', "proxy"])
def test_a_gate_on_the_first_byte_of_what_is_compressed_is_refused(layer: str) -> None:
    text = ORDERS + LIMIT
    if layer == "proxy":
        text += '[[proxy]]\nkind = "nginx"\ngzip = true\n'
    else:
        text = text.replace("[[target]]", f"[[target]]\n{layer}", 1)
    suite = suite_of(text)
    with pytest.raises(UsageError, match=r"a compressor's header.*gate ttfr_p50"):
        gates_of(suite, cases_of(suite), 8)
    rows = suite_of(text.replace("ttfb_p50", "ttfr_p50"))
    assert len(gates_of(rows, cases_of(rows), 8)[0]) == 1


def test_a_margin_on_a_case_that_is_not_there_is_refused() -> None:
    suite = suite_of(ORDERS + MARGIN.replace("rows=500", "rows=99"))
    for found in (lambda: gates_of(suite, CASES, 8), lambda: margin_gates_of(suite, CASES, 8, Terms())):
        with pytest.raises(UsageError, match="names no case"):
            found()
