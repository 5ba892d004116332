"""Screening of made-up runs whose truth is known, and the properties that it has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.runs.between_runs import Arms, Screened, screen
from analysis.verdicts.gate import Pair
from analysis.verdicts.judgement import Kind
from results.metrics import FIGURES, Figure

LATENCY, THROUGHPUT, MEMORY = FIGURES["ttfb_p50"], FIGURES["throughput"], FIGURES["peak_memory"]
MIB = 2**20
#: What a quiet machine does to each block's ratio.
NOISE = [1.002, 0.994, 1.009, 1.0, 0.991, 1.005, 0.997, 1.003]
OPPOSITE = {Kind.WORSE: Kind.BETTER, Kind.BETTER: Kind.WORSE}
RATIOS = st.lists(st.floats(0.4, 2.5), min_size=5, max_size=10)


def pairs(ratios: list[float], level: float = 1e6) -> list[Pair]:
    return [Pair(level * ratio, level) for ratio in ratios]


def growth(differences: list[float], baseline: float) -> list[Pair]:
    return [Pair(baseline + difference, baseline) for difference in differences]


def arms(figure: Figure, base: list[Pair], head: list[Pair], **more: float) -> Arms:
    levels = [pair.baseline for pair in [*base, *head]]
    return Arms(figure, base, head, levels, **more)  # type: ignore[arg-type]


def one(figure: Figure, base: list[Pair], head: list[Pair], **more: float) -> Screened:
    (found,) = screen([arms(figure, base, head, **more)])
    return found


def quiet(ratio: float, count: int = 8) -> list[float]:
    return [ratio * noise for noise in NOISE[:count]]


@pytest.mark.parametrize("sizes", [(8, 8), (5, 5), (8, 6)])
@pytest.mark.parametrize(
    ("ratio", "latency", "throughput"),
    [
        (1.0, Kind.SAME, Kind.SAME),
        (1.02, Kind.SAME, Kind.SAME),
        (1.2, Kind.WORSE, Kind.BETTER),
        (1 / 1.2, Kind.BETTER, Kind.WORSE),
        (1.05, Kind.UNDECIDED, Kind.UNDECIDED),
    ],
)
def test_quiet_machines_tell_what_is_true(
    sizes: tuple[int, int], ratio: float, latency: Kind, throughput: Kind
) -> None:
    base = pairs(quiet(0.04, sizes[0]))
    head = pairs(quiet(0.04 * ratio, sizes[1])[::-1], level=5e6)  # on a machine that is five times as slow
    for figure, expected in ((LATENCY, latency), (THROUGHPUT, throughput)):
        found = one(figure, base, head)
        assert found.kind is expected
        assert found.estimate == pytest.approx(ratio, rel=0.01)
        assert (found.base, found.head) == pytest.approx((0.04, 0.04 * ratio), rel=0.01)
        assert (found.base_blocks, found.head_blocks) == sizes
        assert found.margin == pytest.approx(1.05 if figure is LATENCY else 1 / 1.05)


def test_fewer_than_5_blocks_in_one_run_are_an_estimate() -> None:
    found = one(LATENCY, pairs(quiet(1)), pairs(quiet(3, 4)))
    assert (found.kind, found.low, found.p) == (Kind.ESTIMATE_ONLY, None, None)
    assert found.estimate == pytest.approx(3, rel=0.02)
    assert found.reason == "8 and 4 blocks; a verdict needs 5 in each run"


def test_a_value_of_0_has_no_ratio_and_takes_no_part_in_the_correction() -> None:
    idle = arms(THROUGHPUT, pairs([0.0] * 8), pairs(quiet(1)))
    slower = arms(LATENCY, pairs(quiet(1)), pairs(quiet(1.3)))
    nothing, found = screen([idle, slower])
    assert (nothing.kind, nothing.estimate) == (Kind.ESTIMATE_ONLY, None)
    assert found == screen([slower])[0]


def test_a_noisy_machine_is_undecided_and_says_what_it_would_take() -> None:
    rng = np.random.default_rng(3)
    base, head = (pairs(list(np.exp(rng.normal(0, 0.2, 8)))) for _ in range(2))
    found = one(LATENCY, base, head)
    assert found.kind is Kind.UNDECIDED
    assert found.detectable is not None
    assert found.blocks_needed is not None
    assert found.blocks_needed > 8
    assert f"these runs could have seen ×{found.detectable:.3g}" in found.reason
    assert f"about {found.blocks_needed} blocks in each run would decide" in found.reason


def test_what_two_runs_could_have_seen_is_worse_when_it_is_there() -> None:
    base, head = quiet(1), quiet(1)[::-1]
    seen = one(LATENCY, pairs(base), pairs(head)).detectable
    assert seen is not None
    assert one(LATENCY, pairs(base), pairs([seen * ratio for ratio in head])).kind is Kind.WORSE


def test_one_find_among_many_tests_needs_blocks_enough() -> None:
    """Five blocks a run have no p below 2/252: too much for one find in 40 tests, enough for one alone."""

    def family(count: int) -> list[Arms]:
        slower = arms(LATENCY, pairs(quiet(1, count)), pairs(quiet(2, count)))
        alike = arms(LATENCY, pairs(quiet(1, count)), pairs(quiet(1, count)[::-1]))
        return [slower, *[alike] * 39]

    assert screen(family(5)[:1])[0].kind is Kind.WORSE
    few = screen(family(5))
    assert few[0].kind is Kind.UNDECIDED
    assert few[0].p == pytest.approx(40 * 2 / 252)
    assert "not enough for one of 40 comparisons" in few[0].reason
    enough = screen(family(8))
    assert [found.kind for found in enough] == [Kind.WORSE] + [Kind.SAME] * 39


def test_a_difference_within_the_client_s_error_is_never_worse_or_better() -> None:
    base, head = pairs(quiet(1)), pairs(quiet(1.5))  # half a millisecond apart
    for ours, theirs in ((base, head), (head, base)):
        found = one(LATENCY, ours, theirs, error=0.6e6)
        assert found.kind is Kind.UNDECIDED
        assert "within the client's error of 600 µs" in found.reason
        assert one(LATENCY, ours, theirs, error=0.4e6).kind in OPPOSITE


@pytest.mark.parametrize(
    ("difference", "baseline", "kind"),
    [
        (0.5 * MIB, 2 * MIB, Kind.SAME),
        (1.5 * MIB, 2 * MIB, Kind.WORSE),
        (-1.5 * MIB, 2 * MIB, Kind.BETTER),
        (2.5 * MIB, 100 * MIB, Kind.SAME),  # within 3% of the whole form's
        (3.5 * MIB, 100 * MIB, Kind.WORSE),
    ],
)
def test_memory_is_judged_by_bytes(difference: float, baseline: float, kind: Kind) -> None:
    steps = [-4096.0, 0, 4096, 0, 8192, -8192, 0, 4096]
    base = growth([step - MIB for step in steps], baseline)
    head = growth([step - MIB + difference for step in steps[::-1]], baseline)
    found = one(MEMORY, base, head)
    assert found.kind is kind
    assert found.estimate == pytest.approx(difference, abs=4096)
    assert found.base == pytest.approx(-MIB, abs=4096)


def test_what_the_kernel_cannot_tell_apart_widens_the_interval() -> None:
    base, head = growth([0.0] * 8, 2 * MIB), growth([1.1 * MIB] * 8, 2 * MIB)
    assert one(MEMORY, base, head).kind is Kind.WORSE
    coarse = one(MEMORY, base, head, resolution=0.5 * MIB)
    assert (coarse.kind, coarse.blocks_needed) == (Kind.UNDECIDED, None)
    assert (coarse.low, coarse.high) == pytest.approx((0.85 * MIB, 1.35 * MIB))


@given(
    st.lists(st.tuples(RATIOS, RATIOS), min_size=1, max_size=4),
    st.sampled_from([LATENCY, THROUGHPUT, MEMORY]),
)
def test_swapping_the_runs_turns_every_verdict_round(
    family: list[tuple[list[float], list[float]]], figure: Figure
) -> None:
    there = screen([arms(figure, pairs(base), pairs(head), error=1e5) for base, head in family])
    back = screen([arms(figure, pairs(head), pairs(base), error=1e5) for base, head in family])
    for ours, theirs in zip(there, back, strict=True):
        assert theirs.kind is OPPOSITE.get(ours.kind, ours.kind)
        assert theirs.p == pytest.approx(ours.p)
        assert (theirs.base, theirs.head) == pytest.approx((ours.head, ours.base))
        for one_end, other_end in ((ours.estimate, theirs.estimate), (ours.low, theirs.high)):
            assert one_end is not None
            assert other_end is not None
            turned = -other_end if figure is MEMORY else 1 / other_end
            assert one_end == pytest.approx(turned, rel=1e-9, abs=1e-3)


def test_equal_runs_are_hardly_ever_told_apart_and_half_as_long_again_nearly_always() -> None:
    rng = np.random.default_rng(5)

    def runs(change: float, count: int) -> list[Kind]:
        draws = np.exp(rng.normal(0, 0.06, (count, 2, 8)))
        return [one(LATENCY, pairs(list(base)), pairs(list(change * head))).kind for base, head in draws]

    assert sum(kind in OPPOSITE for kind in runs(1.0, 1000)) <= 10
    assert runs(1.5, 200).count(Kind.WORSE) >= 190
