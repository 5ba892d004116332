"""Verdicts on made-up blocks whose truth is known, and the properties that every verdict has."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.verdicts.gate import Pair
from analysis.verdicts.judgement import Kind, judge_pairs
from results.metrics import FIGURES, Figure, Margin, Unit

LATENCY, TAIL = FIGURES["ttfb_p50"], FIGURES["ttfb_p95"]
THROUGHPUT, MEMORY = FIGURES["throughput"], FIGURES["peak_memory"]
MIB = 2**20
#: Blocks of a machine that drifts by a factor of 3: each block's level, in the figure's unit.
LEVELS = [1e6, 3e6, 2e6, 1e6, 2.5e6, 1.2e6, 1.9e6, 2.2e6, 1.1e6, 2.9e6]
#: What noise does to the ratio in each block: within 1%.
NOISE = [1.002, 0.994, 1.009, 1.0, 0.991, 1.005, 0.997, 1.003, 0.996, 1.004]

OPPOSITE = {Kind.WORSE: Kind.BETTER, Kind.BETTER: Kind.WORSE}
RATIOS = st.lists(st.floats(0.4, 2.5), min_size=5, max_size=12)


def blocks(ratio: float, count: int = 8) -> list[Pair]:
    return [
        Pair(level * ratio * noise, level) for level, noise in zip(LEVELS[:count], NOISE[:count], strict=True)
    ]


def pairs_of(ratios: list[float]) -> list[Pair]:
    return [Pair(ratio * 1e6, 1e6) for ratio in ratios]


def swapped(pairs: list[Pair]) -> list[Pair]:
    return [Pair(pair.baseline, pair.figure) for pair in pairs]


def growth(differences: list[float], baseline: float) -> list[Pair]:
    return [Pair(baseline + difference, baseline) for difference in differences]


@pytest.mark.parametrize("count", [5, 7, 8, 10])
@pytest.mark.parametrize(
    ("ratio", "latency", "throughput"),
    [
        (1.0, Kind.SAME, Kind.SAME),
        (1.03, Kind.SAME, Kind.SAME),
        (1.10, Kind.WORSE, Kind.BETTER),
        (0.90, Kind.BETTER, Kind.WORSE),
        (1 / 1.03, Kind.SAME, Kind.SAME),
        (0.02, Kind.BETTER, Kind.WORSE),
        (1.05, Kind.UNDECIDED, Kind.UNDECIDED),
        (1 / 1.05, Kind.UNDECIDED, Kind.UNDECIDED),
    ],
)
def test_a_quiet_machine_tells_what_is_true(
    count: int, ratio: float, latency: Kind, throughput: Kind
) -> None:
    for figure, expected in ((LATENCY, latency), (THROUGHPUT, throughput)):
        verdict = judge_pairs(figure, blocks(ratio, count))
        assert verdict.kind is expected
        assert verdict.estimate == pytest.approx(ratio, rel=0.01)
        assert verdict.blocks == count
        assert verdict.provisional is (count < 8)


def test_a_tail_has_twice_the_margin_and_a_margin_may_be_given() -> None:
    assert judge_pairs(TAIL, blocks(1.07)).kind is Kind.SAME
    assert judge_pairs(LATENCY, blocks(1.07)).kind is Kind.WORSE
    assert judge_pairs(LATENCY, blocks(1.07), margin=Margin(0.10)).kind is Kind.SAME
    assert judge_pairs(LATENCY, blocks(1.03), margin=Margin(0.01)).kind is Kind.WORSE


def test_a_noisy_machine_is_undecided_and_says_what_it_would_take() -> None:
    rng = np.random.default_rng(1)
    verdict = judge_pairs(LATENCY, pairs_of(list(np.exp(rng.normal(0.0, 0.2, 8)))))
    assert verdict.kind is Kind.UNDECIDED
    assert verdict.detectable is not None
    assert verdict.blocks_needed is not None
    assert verdict.blocks_needed > 8
    assert f"about {verdict.blocks_needed} blocks would decide" in verdict.reason
    assert f"could have seen ×{verdict.detectable:.3g}" in verdict.reason


def test_an_estimate_at_the_margin_is_never_decided() -> None:
    verdict = judge_pairs(LATENCY, pairs_of([1.05 * ratio for ratio in (0.8, 0.9, 1, 1, 1 / 0.9, 1 / 0.8)]))
    assert verdict.kind is Kind.UNDECIDED
    assert verdict.blocks_needed is None
    assert "would hardly decide" in verdict.reason


@pytest.mark.parametrize("figure", [LATENCY, THROUGHPUT, MEMORY])
@pytest.mark.parametrize("count", [5, 8])
def test_what_a_run_could_have_seen_is_worse_when_it_is_there(figure: Figure, count: int) -> None:
    pairs = blocks(1.0, count)
    seen = judge_pairs(figure, pairs).detectable
    assert seen is not None
    if figure.by_difference:
        changed = [Pair(pair.figure + seen, pair.baseline) for pair in pairs]
    else:
        changed = [Pair(pair.figure * seen, pair.baseline) for pair in pairs]
    assert judge_pairs(figure, changed).kind is Kind.WORSE


def test_fewer_than_5_blocks_are_an_estimate() -> None:
    verdict = judge_pairs(LATENCY, blocks(9.0, 4))
    assert verdict.kind is Kind.ESTIMATE_ONLY
    assert verdict.estimate == pytest.approx(9, rel=0.01)
    assert (verdict.low, verdict.high, verdict.detectable) == (None, None, None)
    assert verdict.reason == "4 of the 5 blocks that a verdict needs"


def test_no_blocks_and_no_logarithm_are_no_verdict() -> None:
    nothing = judge_pairs(LATENCY, [])
    assert (nothing.kind, nothing.estimate) == (Kind.ESTIMATE_ONLY, None)
    idle = judge_pairs(THROUGHPUT, [*blocks(1.0), Pair(0.0, 1e6)])
    assert (idle.kind, idle.estimate) == (Kind.ESTIMATE_ONLY, None)
    assert "0 has no ratio" in idle.reason


def test_one_wild_block_among_eight_decides_nothing() -> None:
    wild = [*blocks(1.0)[:7], Pair(50e6, 1e6)]
    assert judge_pairs(LATENCY, wild).kind in {Kind.SAME, Kind.UNDECIDED}
    wild = [*blocks(1.5)[:7], Pair(1e6, 50e6)]
    assert judge_pairs(LATENCY, wild).kind in {Kind.WORSE, Kind.UNDECIDED}


@pytest.mark.parametrize(
    ("difference", "baseline", "kind"),
    [
        (0, 0, Kind.SAME),
        (0.5 * MIB, 2 * MIB, Kind.SAME),  # a quarter more, and within 1 MiB
        (1.1 * MIB, 2 * MIB, Kind.WORSE),
        (-1.1 * MIB, 2 * MIB, Kind.BETTER),
        (2.5 * MIB, 100 * MIB, Kind.SAME),  # within 3%
        (3.5 * MIB, 100 * MIB, Kind.WORSE),
        (0, -4096, Kind.SAME),
        (2 * MIB, -4096, Kind.WORSE),
    ],
)
def test_memory_is_judged_by_bytes(difference: float, baseline: float, kind: Kind) -> None:
    steps = [-4096, 0, 4096, 0, 8192, -8192, 0, 4096]
    verdict = judge_pairs(MEMORY, growth([difference + step for step in steps], baseline))
    assert verdict.kind is kind
    assert verdict.estimate == pytest.approx(difference, abs=4096)


def test_what_the_kernel_cannot_tell_apart_widens_the_interval() -> None:
    pairs = growth([1.1 * MIB] * 8, 2 * MIB)
    exact = judge_pairs(MEMORY, pairs)
    assert (exact.kind, exact.low, exact.high) == (Kind.WORSE, 1.1 * MIB, 1.1 * MIB)
    coarse = judge_pairs(MEMORY, pairs, resolution=0.4 * MIB)
    assert coarse.kind is Kind.UNDECIDED
    assert coarse.blocks_needed is None  # no number of blocks makes the kernel count finer
    assert (coarse.low, coarse.high) == pytest.approx((0.9 * MIB, 1.3 * MIB))
    assert judge_pairs(LATENCY, blocks(1.1), resolution=0.4 * MIB).kind is Kind.WORSE


def test_a_difference_within_the_client_s_error_is_never_worse_or_better() -> None:
    pairs = pairs_of([1.5] * 8)  # half a millisecond apart
    for both in (pairs, swapped(pairs)):
        verdict = judge_pairs(LATENCY, both, error=0.6e6)
        assert verdict.kind is Kind.UNDECIDED
        assert "500 µs is within the client's error of 600 µs" in verdict.reason
        assert verdict.blocks_needed is None
        assert judge_pairs(LATENCY, both, error=0.4e6).kind in OPPOSITE
    assert judge_pairs(LATENCY, blocks(1.0), error=1e9).kind is Kind.SAME


def test_the_reason_is_told_in_the_figure_s_own_terms() -> None:
    assert "lies beyond ×1.05" in judge_pairs(LATENCY, blocks(2.0)).reason
    assert "lies beyond ×0.952" in judge_pairs(THROUGHPUT, blocks(0.5)).reason
    assert "between ×0.952 and ×1.05" in judge_pairs(LATENCY, blocks(1.0)).reason
    assert "between ×0.952 and ×1.05" in judge_pairs(THROUGHPUT, blocks(1.0)).reason
    assert "+2 MiB to +2 MiB, lies beyond +1 MiB" in judge_pairs(MEMORY, growth([2 * MIB] * 8, 0)).reason


@given(RATIOS)
def test_swapping_the_arms_turns_the_verdict_round(ratios: list[float]) -> None:
    for figure in (LATENCY, THROUGHPUT, MEMORY):
        one, other = judge_pairs(figure, pairs_of(ratios)), judge_pairs(figure, swapped(pairs_of(ratios)))
        if figure is not MEMORY:  # whose margin is a share of the baseline
            assert other.kind is OPPOSITE.get(one.kind, one.kind)
        for ours, theirs in ((one.estimate, other.estimate), (one.low, other.high), (one.high, other.low)):
            assert ours is not None
            assert theirs is not None
            turned = -theirs if figure is MEMORY else 1 / theirs
            assert ours == pytest.approx(turned, rel=1e-9, abs=1e-6)


@given(RATIOS, st.sampled_from([0.125, 4.0, 1024.0]))
def test_a_change_of_unit_changes_no_verdict(ratios: list[float], unit: float) -> None:
    pairs = pairs_of(ratios)
    scaled = [Pair(unit * pair.figure, unit * pair.baseline) for pair in pairs]
    for figure in (LATENCY, TAIL, THROUGHPUT):
        assert judge_pairs(figure, scaled) == judge_pairs(figure, pairs)


@given(RATIOS, st.sampled_from([LATENCY, THROUGHPUT, MEMORY]))
def test_the_interval_holds_the_estimate(ratios: list[float], figure: Figure) -> None:
    verdict = judge_pairs(figure, pairs_of(ratios))
    assert verdict.low is not None
    assert verdict.high is not None
    assert verdict.estimate is not None
    tiny = 1e-9 * max(abs(verdict.low), abs(verdict.high))
    assert verdict.low - tiny <= verdict.estimate <= verdict.high + tiny


@given(RATIOS)
def test_orientation_makes_a_rate_of_a_time(ratios: list[float]) -> None:
    times = judge_pairs(LATENCY, pairs_of(ratios))
    rates = judge_pairs(THROUGHPUT, pairs_of([1 / ratio for ratio in ratios]))
    assert rates.kind is times.kind
    assert rates.blocks_needed == times.blocks_needed


@given(RATIOS, st.floats(1.0, 3.0))
def test_a_slower_variant_is_never_judged_better_for_it(ratios: list[float], slower: float) -> None:
    before = judge_pairs(LATENCY, pairs_of(ratios))
    after = judge_pairs(LATENCY, pairs_of([slower * ratio for ratio in ratios]))
    if before.kind is Kind.WORSE:
        assert after.kind is Kind.WORSE
    if after.kind is Kind.BETTER:
        assert before.kind is Kind.BETTER


@pytest.mark.parametrize("count", [5, 8, 10])
def test_with_no_difference_hardly_any_run_is_called_worse(count: int) -> None:
    rng = np.random.default_rng(11)
    wrong = sum(
        judge_pairs(LATENCY, pairs_of(list(np.exp(row)))).kind is Kind.WORSE
        for row in rng.normal(0, 0.12 * math.sqrt(2), (1000, count))
    )
    assert wrong <= 20
    found = sum(
        judge_pairs(LATENCY, pairs_of(list(np.exp(row)))).kind is Kind.WORSE
        for row in rng.normal(math.log(1.5), 0.06 * math.sqrt(2), (200, count))
    )
    assert found >= 180


def test_every_figure_has_a_margin_of_its_kind() -> None:
    for figure in FIGURES.values():
        margin = figure.margin
        assert 0 <= margin.share <= 0.1
        assert (margin.share > 0) is (figure.unit is not Unit.SHARE)
        assert (margin.least > 0) is figure.by_difference
        assert (margin.share == 0.10) is figure.name.endswith("_p95")
