"""What a run could have seen, where it is known."""

from __future__ import annotations

import pytest

from analysis.verdicts.detectable import detectable_changes
from analysis.verdicts.fitness import judge_case
from analysis.verdicts.judgement import Kind
from tests.analysis.examples import Measured, run_of
from tests.analysis.knobs import DRIFT, NOISE, Truth, case, trial
from tests.results.examples import WHOLE

QUIET: list[Measured] = [trial(Truth(5e6), DRIFT[block], NOISE[block]) for block in range(8)]
LOUD: list[Measured] = [trial(Truth(5e6), DRIFT[block], 1 + (-1) ** block * 0.1) for block in range(8)]


def changes(*arms: list[Measured], control: list[Measured]) -> dict[str, float]:
    run = run_of((WHOLE, QUIET), *((case(rows=rows), arm) for rows, arm in enumerate(arms)), control=control)
    return {found.figure.name: found.change for found in detectable_changes(run)}


def test_a_change_of_that_size_is_seen_and_half_of_it_is_not() -> None:
    control = [trial(Truth(5e6), DRIFT[block], 1 + (block % 3 - 1) * 0.02) for block in range(8)]
    seen = changes(control=[*control])["ttfb_p50"]
    assert seen > 1.05

    def judged(change: float) -> Kind:
        slower: list[Measured] = [
            {**measured, "ttfb_p50": (measured["ttfb_p50"] or 0) * change} for measured in control
        ]
        run = run_of((WHOLE, QUIET), (case(rows=1), slower))
        return judge_case(run, case(rows=1), "ttfb_p50").kind

    assert judged(seen) is Kind.WORSE
    assert judged(1 + (seen - 1) / 2) is not Kind.WORSE


def test_the_noisiest_case_or_control_speaks() -> None:
    quiet = changes(QUIET, QUIET, control=QUIET)
    assert quiet["ttfb_p50"] == pytest.approx(1.05)
    assert quiet["throughput"] == pytest.approx(1 / 1.05)
    assert quiet["peak_memory"] > 2**20
    for loud in (changes(QUIET, LOUD, control=QUIET), changes(QUIET, QUIET, control=LOUD)):
        assert loud["ttfb_p50"] > 1.2
        assert loud["throughput"] < 1 / 1.2


def test_figures_without_a_verdict_are_left_out() -> None:
    assert set(changes(QUIET, control=QUIET)) == {"ttfb_p50", "throughput", "peak_memory"}
    assert changes(QUIET[:4], control=QUIET[:4]) == {}
