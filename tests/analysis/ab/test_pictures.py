"""The pictures of an ab, by what they say in words: the figures are known."""

from __future__ import annotations

from dataclasses import replace

from analysis.ab.findings import find_ab
from analysis.ab.markdown import with_evidence
from analysis.ab.pictures import ab_pictures
from analysis.plots.picture import Absent, Picture
from analysis.report.markdown import evidence
from results.run import Run
from results.sides import Side
from tests.analysis.sides import W, ab_of, alternating, blocks

BY_BLOCK = "Head over base, block by block"


def by_title(run: Run) -> dict[str, Picture | Absent]:
    return {item.title: item for item in ab_pictures(find_ab(run), run)}


def test_head_is_drawn_over_base_with_its_interval_and_block_by_block() -> None:
    head = [dict(figures) for figures in blocks(1.5, 10)]
    head[6] = {"ttfb_p50": (head[6]["ttfb_p50"] or 0) * 2}
    drawn = by_title(ab_of({W: blocks(1.0, 10)}, {W: head}))
    interval = drawn["Head over base: TTFB p50"]
    assert isinstance(interval, Picture)
    assert "×1.5 (" in interval.description
    assert "worse." in interval.description
    spread = drawn[BY_BLOCK]
    assert isinstance(spread, Picture)
    assert "median ratio ×1.5 over 10 blocks; block 7 is furthest from it, by 100%." in spread.description
    assert isinstance(drawn["Head over base: throughput"], Absent)


def test_one_block_is_no_course_and_those_that_confirm_are_no_part_of_it() -> None:
    again = {Side.BASE: {W: blocks(1.0, 3)}, Side.HEAD: {W: alternating(1.5, 3)}}
    run = ab_of({W: blocks(1.0, 1)}, {W: alternating(1.5, 1)}, confirming=again)
    assert by_title(run)[BY_BLOCK] == Absent(BY_BLOCK, "no case has two valid blocks on both sides")


def test_a_report_in_markdown_has_the_pictures_before_the_table() -> None:
    run = ab_of({W: blocks(1.0, 10)}, {W: alternating(1.5, 10)})
    findings = find_ab(replace(run, finished_utc="2031-02-03T04:05:06+00:00"))
    text = with_evidence(findings, list(evidence(ab_pictures(findings, run), "two words")))
    for name in ("forest-ttfb_p50", "blocks-1"):
        assert text.index(f"](two%20words/{name}.svg)") < text.index("<details><summary>Every figure")
