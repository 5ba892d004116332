"""The simulation's rules are the very rules of the analysis, and the bench runs."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from analysis.statistics.two_sample import p_different
from analysis.verdicts.gate import Pair, judge, parse_limit
from analysis.verdicts.judgement import Kind, judge_pairs
from results.metrics import FIGURES
from tests.bench.error_rates import RULES, detectable, simulate, verdict_worse
from tests.bench.judges import bootstrap_interval, slower_by_ranks

FIGURE = FIGURES["ttfb_p50"]


@pytest.mark.parametrize("blocks", [5, 7, 8, 10])
def test_its_verdict_and_its_gate_are_ours(blocks: int) -> None:
    machine, change = simulate(0.06, blocks, 60), 0.13
    limit = parse_limit("1.05 of baseline", FIGURE, upper=True)
    verdicts, gates = [], []
    for base, head in zip(np.exp(machine.baseline), np.exp(machine.variant + change), strict=True):
        pairs = [Pair(*both) for both in zip(head, base, strict=True)]
        verdicts.append(judge_pairs(FIGURE, pairs).kind is Kind.WORSE)
        gates.append(judge([("it", limit, pairs)])[0].failed)
    assert list(verdict_worse(machine, change)) == verdicts
    assert 0 < sum(verdicts) < 60
    if blocks >= 8:  # a gate goes by ranks with fewer blocks too
        assert list(RULES["our gate"](machine, change)) == gates


def test_what_it_could_have_seen_is_what_a_verdict_says() -> None:
    machine = simulate(0.06, 8, 61)
    told = [
        judge_pairs(FIGURE, [Pair(*both) for both in zip(head, base, strict=True)]).detectable
        for base, head in zip(np.exp(machine.baseline), np.exp(machine.variant), strict=True)
    ]
    assert np.exp(detectable(machine)) == pytest.approx(np.median([value for value in told if value]))


def test_the_others_are_what_they_are_called() -> None:
    rng = np.random.default_rng(3)
    base, head = rng.normal(0, 1, (40, 9)), rng.normal(0.8, 1, (40, 9))
    expected = [
        p_different(list(one), list(other)) <= 0.05 and np.mean(one) > np.mean(other)
        for one, other in zip(head, base, strict=True)
    ]
    assert list(slower_by_ranks(base, head)) == expected
    assert 0 < sum(expected) < 40
    low, high = bootstrap_interval(head)
    theirs = stats.bootstrap((head[0],), np.mean, method="percentile", rng=1).confidence_interval
    assert (low[0], high[0]) == pytest.approx((theirs.low, theirs.high), abs=0.1)


def test_the_noise_is_that_which_it_says() -> None:
    machine = simulate(0.06, 20, 4000)
    differences = machine.variant - machine.baseline
    assert abs(np.median(differences)) < 0.01
    assert np.quantile(np.abs(differences), 0.683) == pytest.approx(0.06 * 2**0.5, rel=0.15)
    # arms that share their blocks lie nearer to each other than arms measured one after the other
    apart = (machine.variant_after - machine.baseline_first).mean(axis=1).std()
    assert differences.mean(axis=1).std() < 0.8 * apart


def test_the_bench_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.error_rates", "--smoke"],
        capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    rows = re.findall(r"^\| (none|\+\d+%) \| (\d+%) \| (.*) \|$", done.stdout, re.MULTILINE)
    assert len(rows) == 15
    for change, _, cells in rows:
        verdict, *others, _ = ([float(share) for share in cell.split(" / ")] for cell in cells.split(" | "))
        assert len(verdict) == 4
        if change == "none":
            assert max(verdict) <= min(max(other) for other in others[1:]), (
                "fewer false alarms than the others"
            )
    assert "% (target: at most 1%)" in done.stdout
