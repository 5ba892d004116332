"""An ab in each of its forms, read by those who read them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from junitparser import JUnitXml

from analysis.ab import FORMATS
from analysis.ab.findings import AbFindings, AbState, find_ab
from analysis.ab.page import ab_html
from analysis.verdicts.verdict import NotJudged
from harness.cli.ab_outcome import ab_exit_code
from results.errors import ExitCode
from results.sides import Side
from tests.analysis.exports.examples import NASTY, unlawful
from tests.analysis.sides import W, ab_of, alternating, blocks, gate

SCHEMA = json.loads((files("analysis.ab") / "ab.schema.json").read_text("utf-8"))
LEFT_OUT = NotJudged("orders rows=1: ttfb_p50 at most 1 s", "a limit is for run")


def worse() -> AbFindings:
    """Head takes half as long again, in both sets of blocks."""
    run = ab_of(
        {W: blocks(1.0, 10)},
        {W: alternating(1.5, 10)},
        confirming={Side.BASE: {W: blocks(1.0, 10)}, Side.HEAD: {W: alternating(1.5, 10)}},
        gates=[gate()],
    )
    return find_ab(replace(run, finished_utc="2031-02-03T04:05:06+00:00"), [LEFT_OUT])


def not_confirmed() -> AbFindings:
    run = ab_of(
        {W: blocks(1.0, 10)},
        {W: alternating(1.5, 10)},
        confirming={Side.BASE: {W: blocks(1.0, 10)}, Side.HEAD: {W: alternating(1.0, 10)}},
        gates=[gate()],
    )
    return find_ab(replace(run, finished_utc="2031-02-03T04:05:06+00:00"))


def hostile() -> AbFindings:
    found = worse()
    gates = [replace(item, gate=replace(item.gate, name=NASTY), label=NASTY) for item in found.gates]
    lines = [replace(item, label=NASTY) for item in found.lines]
    sides = [replace(item, revision=NASTY) for item in found.header.sides]
    return replace(
        found,
        header=replace(found.header, suite=NASTY, sides=tuple(sides), environment={NASTY: NASTY}),
        gates=gates,
        lines=lines,
        invalid={(NASTY, NASTY): 1},
        bodies=[NASTY],
        not_judged=[NotJudged(NASTY, NASTY)],
    )


def document(findings: AbFindings) -> Any:
    read = json.loads(FORMATS["json"](findings))
    Draft202012Validator(SCHEMA).validate(read)
    return read


def test_the_schema_is_a_schema_and_closed() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    whole = document(worse())
    for broken in ({**whole, "surprise": 1}, {name: whole[name] for name in whole if name != "gates"}):
        with pytest.raises(ValidationError):
            Draft202012Validator(SCHEMA).validate(broken)


def test_json_has_both_sets_of_a_gate_and_every_figure() -> None:
    read = document(worse())
    assert (read["base"], read["head"]) == (
        {"revision": "b", "commit": "b" * 40},
        {"revision": "h", "commit": "a" * 40},
    )
    (found,) = read["gates"]
    assert (found["state"], found["margin"]) == ("worse", 0.05)
    assert found["first"]["failed"]
    assert found["confirmation"]["failed"]
    line = next(item for item in read["lines"] if item["figure"] == "ttfb_p50")
    assert (line["verdict"], line["gated"]) == ("worse", True)
    assert line["low"] < 1.5 < line["high"] or line["estimate"] == pytest.approx(1.5, rel=0.02)
    assert document(not_confirmed())["gates"][0]["state"] == "not confirmed"


def test_a_summary_has_what_matters_first() -> None:
    text = FORMATS["markdown"](worse())
    first, *_ = text.splitlines()
    assert first.startswith("## ")
    assert "head against base: 1 worse of 1 gate" in first
    assert "❌ **worse**" in text
    assert "confirmed by 10 further blocks" in text
    assert "`aaaaaaaaaaaa`" in text
    assert "not judged" in text
    assert text.index("❌") < text.index("<details>")
    assert "➖ not confirmed" in FORMATS["markdown"](not_confirmed())


def test_junit_counts_what_is_worse_twice_as_a_failure() -> None:
    read = JUnitXml.fromstring(FORMATS["junit"](worse()).encode())
    assert (read.tests, read.failures, read.errors) == (3, 1, 0)
    assert next(iter(read)).skipped == 1
    again = JUnitXml.fromstring(FORMATS["junit"](not_confirmed()).encode())
    assert (again.failures, again.errors) == (0, 0)
    cut_short = replace(not_confirmed(), finished_utc=None)
    assert JUnitXml.fromstring(FORMATS["junit"](cut_short).encode()).errors == 1


def test_csv_has_a_row_for_each_figure() -> None:
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](worse()), newline="")))
    assert {row["figure"] for row in rows} == {
        "ttfb_p50",
        "ttfb_p95",
        "throughput",
        "peak_memory",
        "cpu_per_mb",
    }
    found = next(row for row in rows if row["figure"] == "ttfb_p50")
    assert (found["verdict"], found["gated"], found["scale"]) == ("worse", "true", "ratio")


def test_hostile_text_is_shown_as_text() -> None:
    for name, write in FORMATS.items():
        text = write(hostile())
        assert not unlawful(text.replace("\r\n", "\n")), name
        assert name in {"csv", "json"} or "<script>" not in text
    assert document(hostile())["suite"] == NASTY


def test_a_gate_that_failed_once_is_not_measured_again_yet() -> None:
    run = ab_of({W: blocks(1.0, 10)}, {W: alternating(1.5, 10)}, gates=[gate()])
    (found,) = find_ab(replace(run, finished_utc="2031-02-03T04:05:06+00:00")).gates
    assert found.state is AbState.NOT_MEASURED_AGAIN
    assert ab_exit_code(find_ab(replace(run, finished_utc="2031-02-03T04:05:06+00:00"))) is ExitCode.INVALID


def test_an_ab_that_is_not_complete_passes_no_gate() -> None:
    run = ab_of({W: blocks(1.0, 10)}, {W: alternating(1.0, 10)}, gates=[gate()])
    found = find_ab(replace(run, finished_utc=None))
    assert [item.state for item in found.gates] == [AbState.INVALID]
    assert "not complete: 20 of 20 trials" in (found.gates[0].reason or "")
    assert ab_exit_code(found) is ExitCode.INVALID
    assert JUnitXml.fromstring(FORMATS["junit"](found).encode()).errors == 2


def test_the_page_has_gates_figures_and_both_commits_and_no_foreign_markup() -> None:
    run = ab_of({W: blocks(1.0, 10)}, {W: alternating(1.5, 10)}, gates=[gate()])
    page = ab_html(worse(), run)
    assert "ttfb_p50 within 5%" in page
    assert "confirmed by 10 further blocks" in page
    assert ("b" * 40 in page, "a" * 40 in page) == (True, True)
    assert "Head over base: TTFB p50" in page
    assert "Head over base, block by block" in page
    assert 'id="row-0"' in page
    assert "<script>alert" not in ab_html(hostile(), run)
    assert "no case has an interval of throughput" in page
