"""Head against base where the truth is known, and one side of an ab as a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.statistics.looks import LOOK_LEVEL
from analysis.summary import summarize, valid_by_block
from analysis.verdicts.judgement import Kind
from analysis.verdicts.sides import differing, judge_sides, screened, side_of, sides_decided
from results.sides import Side
from results.terms import Stopping, Terms
from tests.analysis.sides import W, ab_of, alternating, blocks, gate
from tests.results.examples import WHOLE, verification


@pytest.mark.parametrize(
    ("ratio", "kind"), [(1.2, Kind.WORSE), (1 / 1.2, Kind.BETTER), (1.0, Kind.SAME), (1.05, Kind.UNDECIDED)]
)
def test_head_is_judged_against_base_in_the_same_blocks(ratio: float, kind: Kind) -> None:
    run = ab_of({W: blocks(1, 10)}, {W: alternating(ratio, 10)})
    verdict = judge_sides(run)[0].verdict
    assert verdict.kind is kind
    assert verdict.blocks == 10
    assert verdict.estimate == pytest.approx(ratio, rel=0.01)


def test_a_gated_figure_is_judged_by_its_gate_s_margin_and_shown_though_it_is_no_headline() -> None:
    arms = [{W: blocks(ratio, 8, "ttlb_p50")} for ratio in (1, 1.2)]
    (item,) = [
        item for item in judge_sides(ab_of(*arms, gates=[gate("ttlb_p50", 0.3)]))
        if item.verdict.figure.name == "ttlb_p50"
    ]  # fmt: skip
    assert item.verdict.kind is Kind.SAME
    assert all(item.verdict.figure.name != "ttlb_p50" for item in judge_sides(ab_of(*arms)))


def test_what_confirms_is_no_part_of_the_verdicts() -> None:
    base, head = {W: blocks(1, 8)}, {W: blocks(1, 8)}
    confirming = {Side.BASE: {W: blocks(1, 8)}, Side.HEAD: {W: blocks(9, 8)}}
    assert judge_sides(ab_of(base, head, confirming=confirming)) == judge_sides(ab_of(base, head))


def test_each_side_is_a_run_and_both_are_never_taken_for_one() -> None:
    run = ab_of({W: blocks(1, 8)}, {W: blocks(2, 8)})
    assert valid_by_block(run, WHOLE.identity) == {}
    medians = {side: summarize(side_of(run, side))[0].estimates["ttfb_p50"].value or 0 for side in Side}
    assert medians[Side.HEAD] == pytest.approx(2 * medians[Side.BASE])
    assert [summary.trials for summary in summarize(run)] == [0, 0]


def test_each_side_has_its_own_verification() -> None:
    run = ab_of({W: blocks(1, 8)}, {W: blocks(1, 8)})
    other = {WHOLE.identity: verification(body_bytes=7, digest="1" * 16)}
    run = replace(run, base_verifications=other)
    assert side_of(run, Side.BASE).verifications == other
    assert side_of(run, Side.HEAD).verifications == run.verifications
    assert differing(run) == [f"{WHOLE.identity}: 7 bytes on base, 1,000 on head"]
    assert differing(replace(run, base_verifications=run.verifications)) == []


def test_screening_lets_stand_what_stands_among_all_that_was_looked_at() -> None:
    clear = judge_sides(ab_of({W: blocks(1, 20)}, {W: blocks(1.5, 20)}))
    assert screened(clear)[0].verdict.kind is Kind.WORSE
    # six blocks reach p = 1/64 at best: alone it stands, among twenty it does not
    few = judge_sides(ab_of({W: blocks(1, 6)}, {W: blocks(1.5, 6)}))[:1]
    assert screened(few)[0].verdict.kind is Kind.WORSE
    same = judge_sides(ab_of({W: blocks(1, 6)}, {W: blocks(1, 6)}))[:1]
    found = screened(few + same * 19)[0].verdict
    assert found.kind is Kind.UNDECIDED
    assert "among 20" in found.reason


@pytest.mark.parametrize(("ratio", "decided"), [(1.5, True), (1.0, True), (1.05, False)])
def test_an_ab_is_decided_when_each_verdict_is(ratio: float, *, decided: bool) -> None:
    terms = Terms(Stopping.DECIDED)
    run = ab_of({W: blocks(1, 10)}, {W: alternating(ratio, 10)}, terms=terms)
    assert sides_decided(run) is decided
    few = ab_of({W: blocks(1, 4)}, {W: alternating(ratio, 4)}, terms=terms)
    assert not sides_decided(few)


def test_a_sequential_ab_is_judged_at_the_level_of_its_looks() -> None:
    arms = {W: blocks(1, 10)}, {W: alternating(1.1, 10)}
    once = judge_sides(ab_of(*arms))[0].verdict
    several = judge_sides(ab_of(*arms, terms=Terms(Stopping.DECIDED)))[0].verdict
    assert "95% interval" in once.reason
    assert f"{100 * (1 - LOOK_LEVEL):.3g}% interval" in several.reason
    assert (several.low or 0) <= (once.low or 0)
    assert (several.high or 0) >= (once.high or 0)
