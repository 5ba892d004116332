"""``streamgauge compare`` on stores whose truth is known: what comes first, verdicts, exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from results.case import Case
from results.errors import ExitCode
from tests.cli.conftest import Streamgauge
from tests.cli.stores import blocks, make_store
from tests.results.examples import STREAM, WHOLE

RENAMED = Case({**STREAM.parameters, "target": "orders.csv"}, WHOLE.identity)
SLOWER = {STREAM.identity: blocks(2.6, memory_mib=1)}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return make_store(tmp_path / "base.sqlite")


def test_equal_runs_are_the_same(streamgauge: Streamgauge, base: Path) -> None:
    make_store(base.with_name("head.sqlite"))
    done = streamgauge("compare", "base.sqlite", "head.sqlite", "--strict")
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert "Of 6 comparisons: 6 same. This is screening" in done.stdout
    assert "CHANGED" not in done.stdout


def test_a_slower_stream_is_worse_in_one_line_and_better_the_other_way(
    streamgauge: Streamgauge, base: Path
) -> None:
    make_store(base.with_name("head.sqlite"), SLOWER)
    done = streamgauge("compare", "base.sqlite", "head.sqlite")
    assert done.returncode == ExitCode.WORSE
    row = r"orders rows=500 +│ ttfb_p50 +│ +×0.04 │ +×0.052 │ +×1.3 │ +×1\.\d+ to ×1\.\d+ │ +8, 8 │ worse"
    assert re.search(row, done.stdout), done.stdout
    assert re.search(
        r"^worse: orders rows=500: ttfb_p50: the 95% interval, .* beyond ×1.05$", done.stdout, re.MULTILINE
    )
    assert "1 worse, 5 same" in done.stdout
    turned = streamgauge("compare", "head.sqlite", "base.sqlite", "--strict")
    assert turned.returncode == ExitCode.GOOD
    assert "1 better, 5 same" in turned.stdout


def test_a_tail_of_too_few_requests_does_not_spoil_strict_unless_it_was_asked_for(
    streamgauge: Streamgauge, tmp_path: Path
) -> None:
    for name in ("base", "head"):
        tails = {
            identity: [{**block, "ttfb_p95": block["ttfb_p50"]} for block in blocks(2)]
            for identity in (WHOLE.identity, STREAM.identity)
        }
        make_store(tmp_path / f"{name}.sqlite", tails)
    words = ("compare", "base.sqlite", "head.sqlite", "--strict")
    done = streamgauge(*words)
    assert done.returncode == ExitCode.GOOD, done.stdout
    assert "2 estimate only" in done.stdout
    assert streamgauge(*words, "--figure", "ttfb_p95").returncode == ExitCode.UNDECIDED


def test_names_are_those_of_find_run(streamgauge: Streamgauge, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    make_store(tmp_path / "results" / "old.sqlite")
    make_store(tmp_path / "results" / "new.sqlite", SLOWER)
    assert streamgauge("compare", "old", "latest").returncode == ExitCode.WORSE


def test_a_changed_machine_is_said_first_and_counts_under_strict(
    streamgauge: Streamgauge, base: Path
) -> None:
    make_store(base.with_name("head.sqlite"), environment={"kernel": "6.2", "python": "3.13.0"})
    done = streamgauge("compare", "base.sqlite", "head.sqlite")
    assert done.returncode == ExitCode.GOOD
    assert done.stdout.index("CHANGED: kernel was 6.1 and is 6.2") < done.stdout.index("case ")
    assert "CHANGED: python was 3.12.1 and is 3.13.0" in done.stdout
    assert "left out: orders whole" in done.stdout
    assert streamgauge("compare", "base.sqlite", "head.sqlite", "--strict").returncode == ExitCode.UNDECIDED


def test_a_run_that_is_not_complete_counts_under_strict(streamgauge: Streamgauge, base: Path) -> None:
    make_store(base.with_name("head.sqlite"), finished=False)
    done = streamgauge("compare", "base.sqlite", "head.sqlite")
    assert done.returncode == ExitCode.GOOD
    assert "DOUBTFUL: head is not complete: 24 of 24 trials" in done.stdout
    assert streamgauge("compare", "base.sqlite", "head.sqlite", "--strict").returncode == ExitCode.UNDECIDED


def test_what_is_undecided_counts_under_strict(streamgauge: Streamgauge, base: Path) -> None:
    make_store(base.with_name("head.sqlite"), {STREAM.identity: blocks(2.1, memory_mib=1)})
    done = streamgauge("compare", "base.sqlite", "head.sqlite")
    assert done.returncode == ExitCode.GOOD
    assert re.search(
        r"^undecided: orders rows=500: ttfb_p50: .*; these runs could have seen ×", done.stdout, re.MULTILINE
    )
    assert streamgauge("compare", "base.sqlite", "head.sqlite", "--strict").returncode == ExitCode.UNDECIDED


def test_too_few_blocks_have_no_verdict_which_counts_under_strict(
    streamgauge: Streamgauge, tmp_path: Path
) -> None:
    for name, time in (("base", 2.0), ("head", 9.0)):
        few = {WHOLE.identity: blocks(50, count=4), STREAM.identity: blocks(time, count=4)}
        make_store(tmp_path / f"{name}.sqlite", few)
    done = streamgauge("compare", "base.sqlite", "head.sqlite")
    assert done.returncode == ExitCode.GOOD
    assert "6 estimate only" in done.stdout
    assert streamgauge("compare", "base.sqlite", "head.sqlite", "--strict").returncode == ExitCode.UNDECIDED


def test_a_renamed_case_is_3_even_beside_a_worse_one_unless_only_leaves_it_out(
    streamgauge: Streamgauge, base: Path
) -> None:
    old = Case({**STREAM.parameters, "rows": 1}, WHOLE.identity)
    cases = {old.identity: blocks(1), RENAMED.identity: blocks(1)}
    make_store(base.with_name("b.sqlite"), cases, cases=[WHOLE, STREAM, old])
    make_store(base.with_name("h.sqlite"), cases | SLOWER, cases=[WHOLE, STREAM, RENAMED])
    done = streamgauge("compare", "b.sqlite", "h.sqlite")
    assert done.returncode == ExitCode.INVALID
    for phrase in (f"only in base: {old.identity}", f"only in head: {RENAMED.identity}"):
        assert done.stdout.index(f"CANNOT BE COMPARED: {phrase}") < done.stdout.index("worse: ")
    only = streamgauge("compare", "b.sqlite", "h.sqlite", "--only", "orders rows=500")
    assert only.returncode == ExitCode.WORSE
    assert "CANNOT" not in only.stdout
    assert "orders rows=500" in only.stdout
    assert streamgauge("compare", "b.sqlite", "h.sqlite", "--only", "rows=1").returncode == ExitCode.USAGE


def test_a_figure_that_is_not_there_is_3(streamgauge: Streamgauge, base: Path) -> None:
    bare = [{"ttfb_p50": block["ttfb_p50"], "throughput": block["throughput"]} for block in blocks(2)]
    make_store(base.with_name("head.sqlite"), {STREAM.identity: bare})
    done = streamgauge("compare", "base.sqlite", "head.sqlite")
    assert done.returncode == ExitCode.INVALID
    lacks = "CANNOT BE COMPARED: orders rows=500: in head 8 of 16 valid trials do not give peak_memory"
    assert lacks in done.stdout
    assert (
        streamgauge("compare", "base.sqlite", "head.sqlite", "--figure", "ttfb_p50").returncode
        == ExitCode.GOOD
    )
    asked = streamgauge("compare", "base.sqlite", "head.sqlite", "--figure", "cpu_per_mb")
    assert asked.returncode == ExitCode.INVALID
    assert "Nothing could be compared" in asked.stdout


def test_a_run_with_a_failed_response_is_3(streamgauge: Streamgauge, base: Path) -> None:
    make_store(base.with_name("head.sqlite"), failed=[17])
    done = streamgauge("compare", "base.sqlite", "head.sqlite")
    assert done.returncode == ExitCode.INVALID
    assert "CANNOT BE COMPARED: head may not be relied on" in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["base.sqlite", "base.sqlite"], "the same run"),
        (["base.sqlite", "other.sqlite"], "no case in common"),
        (["base.sqlite", "nowhere"], "there is no run 'nowhere'"),
        (["base.sqlite", "other.sqlite", "--figure", "speed"], "'speed' is not one of"),
        (["base.sqlite"], "Missing argument 'HEAD'"),
    ],
)
def test_wrong_words_are_2(streamgauge: Streamgauge, base: Path, words: list[str], message: str) -> None:
    other = Case({"target": "other", "form": "whole"}, None)
    make_store(base.with_name("other.sqlite"), {other.identity: blocks(1)}, cases=[other])
    done = streamgauge("compare", *words)
    assert done.returncode == ExitCode.USAGE
    assert message in done.stderr


def test_json_holds_what_the_table_says(streamgauge: Streamgauge, base: Path) -> None:
    make_store(base.with_name("head.sqlite"), SLOWER, environment={"kernel": "6.2"})
    done = streamgauge("compare", "base.sqlite", "head.sqlite", "--json")
    assert done.returncode == ExitCode.WORSE
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["changed"] == ["kernel was 6.1 and is 6.2"]
    assert "CHANGED: kernel was 6.1 and is 6.2" in done.stderr
    assert (document["base"]["run_id"], document["head"]["commit"]) == ("base", "aaaaaaaaa")
    lines = {line["figure"]: line for line in document["lines"]}
    worse = lines["ttfb_p50"]
    assert (worse["case"], worse["verdict"], worse["scale"]) == (STREAM.identity, "worse", "ratio")
    assert worse["estimate"] == pytest.approx(1.3, rel=0.02)
    assert worse["low"] <= worse["estimate"] <= worse["high"]
    assert (worse["base_blocks"], worse["head_blocks"], worse["margin"]) == (8, 8, pytest.approx(1.05))
    assert lines["peak_memory"]["scale"] == "bytes"
