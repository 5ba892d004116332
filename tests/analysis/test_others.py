"""What is said of what streams cost others, from a run whose truth is known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from analysis.exports import json_document, markdown
from analysis.findings import Findings, find
from analysis.others_table import HEADINGS, rows
from analysis.report.content import Report
from analysis.report.markdown import markdown as report_markdown
from analysis.report.page import html
from analysis.sentences import answers
from analysis.table import columns
from analysis.verdicts.fitness import run_decided
from analysis.verdicts.judgement import Kind
from results.case import Case, Value
from tests.analysis.crews import shared
from tests.analysis.report.reading import answers as report_answers
from tests.analysis.report.reading import found, pictures, reported, text
from tests.known_run import Truth, make_known_run
from tests.results.examples import STREAM, WHOLE

_BESIDE: dict[str, Value] = {"scenario": "mixed", "others": 20, "patience_s": 1}


def truths(scenario: str = "mixed") -> list[Truth]:
    """On sync all wait, and for a slow stream longer than they have patience; on gevent nobody does."""
    made = []
    for server, waits in (("sync", (50.0, 1200.0)), ("gevent", (2.0, 2.02))):
        keys: dict[str, Value] = {**_BESIDE, "scenario": scenario, "worker_class": server}
        whole = Case({**WHOLE.parameters, **keys}, baseline=None)
        stream = Case({**STREAM.parameters, **keys}, baseline=whole.identity)
        made += [
            Truth(whole, 5, memory_mib=20, others_ms=(2.0, waits[0])),
            Truth(stream, 5, memory_mib=1, others_ms=(2.0, waits[1]), chunk_bytes=5000),
        ]
    return made


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_known_run(tmp_path_factory.mktemp("others") / "run.sqlite", truths())


@pytest.fixture(scope="module")
def findings(path: Path) -> Findings:
    return found(path)[1]


@pytest.fixture(scope="module")
def made(path: Path) -> Report:
    return reported(path)


def test_the_cost_is_the_ratio_within_each_trial(findings: Findings) -> None:
    """So that a block's noise, which is in both, is in none of them."""
    kinds = [(item.verdict.kind, item.verdict.estimate) for item in findings.costs]
    assert [kind for kind, _ in kinds] == [Kind.WORSE, Kind.WORSE, Kind.SAME, Kind.SAME]
    assert kinds[0][1] == pytest.approx(25)
    assert kinds[2][1] == pytest.approx(1)
    assert findings.costs[0].verdict.low == pytest.approx(25)


def test_the_table_has_each_case_with_figure_interval_and_verdict(findings: Findings) -> None:
    found_rows = {row[0]: dict(zip(HEADINGS, row, strict=True)) for row in rows(findings)}
    assert list(found_rows) == [
        "orders whole sync",
        "orders rows=500 sync",
        "orders whole gevent",
        "orders rows=500 gevent",
    ]
    whole, stream = found_rows["orders whole sync"], found_rows["orders rows=500 sync"]
    assert (whole["alone"], whole["beside it"], whole["no answer"]) == ("2 ms", "50 ms", "0%")
    assert whole["costs"] == "×25 (×25 to ×25), worse"
    assert whole["to the whole form"] == ""
    assert (stream["beside it"], stream["p95"], stream["no answer"]) == ("> 1 s", "> 1 s", "100%")
    assert stream["costs"].startswith("> ×500 (")
    assert stream["worker held"] == "2.4 s"  # longer than anybody's patience
    assert stream["to the whole form"].endswith(", worse")
    assert found_rows["orders rows=500 gevent"]["to the whole form"].endswith(", same")
    assert found_rows["orders rows=500 gevent"]["memory held"] == "1 MiB"


def test_the_report_says_draws_and_lists_it(made: Report) -> None:
    page, shown = html(made), report_markdown(made, "pictures")
    for where in (page, shown):
        assert "What it costs the others" in where
        assert "25 (×25 to ×25), worse" in where
    picture = pictures(made)["others-1"]
    assert "gunicorn sync, orders whole sync: half of the small requests waited 2" in picture.description
    assert "20 of 40 had no answer" in picture.description
    assert any(
        "A small request beside it waits > 1 s instead of 50" in text(item)
        for item in made.answers[0].figures
    )
    failures = {tuple(row[:3]) for row in made.failures.rows}
    assert ("orders rows=500 sync", "small request without an answer", "timed-out") in failures


def test_exports_have_it(findings: Findings) -> None:
    document = json.loads(json_document.export(findings))
    schema = json.loads(Path(json_document.__file__).with_name("streamgauge.schema.json").read_text())
    Draft202012Validator(schema).validate(document)
    assert [item["verdict"]["kind"] for item in document["others"]] == ["worse", "worse", "same", "same"]
    (sync,) = (item for item in document["cases"] if item["label"] == "orders rows=500 sync")
    assert sync["others_outcomes"] == {"timed-out": 8 * 20}
    summary = markdown.export(findings)
    assert "What it costs the others" in summary
    assert "others unanswered" in summary


def test_a_run_without_others_says_nothing_of_them(tmp_path: Path) -> None:
    plain = reported(make_known_run(tmp_path / "run.sqlite"))
    assert plain.findings.costs == []
    assert "What it costs the others" not in html(plain)
    assert "unanswered" not in markdown.export(plain.findings)


def test_of_slow_readers_no_figure_of_their_own_pace_is_judged(tmp_path: Path) -> None:
    whole, stream = truths("slow-reader")[:2]
    paced = [whole, replace(stream, others_ms=(2.0, 50.0))]
    path = make_known_run(tmp_path / "run.sqlite", paced, without=("throughput", "ttfb_p50", "ttlb_p50"))
    run, findings = found(path)
    assert not any("throughput" in column.heading for column in columns([c.summary for c in findings.cases]))
    (answer,) = answers(findings, [])
    (sentence,) = answer.sentences
    assert "to readers who set the pace" in sentence
    assert "peak memory better" in sentence
    assert "the wait of others same" in sentence
    assert run_decided(run)
    assert find(run).unfit == []


def test_where_others_are_given_up_on_both_sides_nobody_says_which_waits_longer(tmp_path: Path) -> None:
    whole, stream = truths()[:2]
    both = [replace(whole, others_ms=(2.0, 1100.0)), stream]
    path = make_known_run(tmp_path / "run.sqlite", both)
    _, findings = found(path)
    streamed = findings.cases[-1].figures
    verdict = streamed["others_ttlb_p50"].verdict
    assert verdict is not None
    assert verdict.kind is Kind.ESTIMATE_ONLY
    assert "in 8 of 8 blocks the small requests that others_ttlb_p50 rests on were given up" in verdict.reason
    said = "\n".join(map(text, report_answers(path)[0].figures))
    assert "A small request beside it waits > 1 s instead of > 1 s: " in said
    assert "| > 1 s |" in markdown.export(findings)
    assert [cost.verdict.kind for cost in findings.costs] == [Kind.WORSE, Kind.WORSE]
    held = streamed["worker_held"].verdict
    assert held is not None
    assert held.kind is Kind.WORSE


@pytest.mark.parametrize(
    ("bound_ns", "kind"), [(0, Kind.WORSE), (40_000, Kind.WORSE), (5 * 10**9, Kind.UNDECIDED)]
)
def test_two_workers_clocks_bound_what_lies_between_their_requests(
    path: Path, bound_ns: int, kind: Kind
) -> None:
    """A silence may begin with one worker and end with another; one that waits waits by its own clock."""
    run = found(path)[0]
    sync = find(shared(run, bound_ns=bound_ns)).cases[2].figures
    held, waited = sync["worker_held"].verdict, sync["others_ttlb_p50"].verdict
    assert held is not None
    assert waited is not None
    assert held.kind is kind
    assert ("is within the client's error of 10 s" in held.reason) == (kind is Kind.UNDECIDED)
    assert "client's error of 10 s" not in waited.reason
