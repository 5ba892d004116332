"""The tables of a report, and what makes a run doubtful."""

from __future__ import annotations

import shlex
from pathlib import Path

from analysis.report.content import Report
from analysis.report.definitions import MEANINGS, definitions
from analysis.report.rows import environment_table, repeat_command
from results.metrics import FIGURES
from tests.analysis.report.reading import doubted, reported
from tests.known_run import PAYS, Spoilt, Truth, make_known_run
from tests.results.examples import BROKEN, STREAM, WHOLE, run_header

DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_each_figure_has_its_row_with_what_it_is_sorted_by(known_report: Report) -> None:
    rows = {row.anchor: row for row in known_report.rows}
    row = rows["row-3-ttfb_p50"]
    assert (row.case, row.chunk, row.figure) == ("orders rows=50", "4.88 KiB", "ttfb_p50")
    assert (row.value, row.effect, row.verdict, row.kind) == ("1 ms", "×0.02", "better", "better")
    assert row.sort_chunk == 5000
    assert row.sort_value is not None
    assert abs(row.sort_value - 1e6) < 0.01e6
    memory = rows["row-3-peak_memory"]
    assert (memory.value, memory.effect) == ("512 KiB", "-4.5 MiB")
    whole = rows["row-0-ttfb_p50"]
    assert (whole.chunk, whole.effect, whole.verdict, whole.kind) == ("whole", "", "", "whole")
    assert "row-0-stall_max_p50" not in rows  # nobody measured it


def test_failures_are_told_by_reason_with_the_last_words_of_the_server(tmp_path: Path) -> None:
    path = make_known_run(
        tmp_path / "run.sqlite",
        spoilt={2: Spoilt("1 of 40 responses failed"), 7: Spoilt("1 of 40 responses failed", "")},
    )
    failures = reported(path).failures
    assert list(map(list, failures.rows)) == [
        ["orders rows=5", "invalid trial", "1 of 40 responses failed", "2"],
        ["orders rows=5", "failed response", "truncated", "2"],
        ["orders rows=5", "told", "the body ended after 7 bytes", "2"],
        ["orders rows=5", "the server printed", "the server's last words", "1"],
    ]


def test_a_case_that_is_meant_to_fail_is_shown_and_not_timed(tmp_path: Path) -> None:
    cases = [*(truth.case for truth in PAYS), BROKEN]
    made = reported(make_known_run(tmp_path / "run.sqlite", cases=cases))
    (last,) = [row for row in made.cases.rows if row[0] == "no context"]
    assert last[1] == "fails as expected: not asked yet"
    assert not [row for row in made.rows if row.case == "no context"]


def test_the_command_repeats_the_order() -> None:
    drawn = run_header(command=["streamgauge", "run", "my suite.toml"], seed=7)
    assert shlex.split(repeat_command(drawn)) == ["streamgauge", "run", "my suite.toml", "--seed", "7"]
    for words in (["--seed", "7"], ["--seed=7"]):
        given = run_header(command=["streamgauge", "run", *words], seed=7)
        assert shlex.split(repeat_command(given)) == ["streamgauge", "run", *words]


def test_the_machine_is_told_in_words() -> None:
    table = environment_table(
        run_header(
            environment={
                "cpu": "x",
                "memory_bytes": 2**34,
                "swap": None,
                "packages": {"flask": "3", "gone": None},
                "cores": [0, 1],
            }
        )
    )
    assert [list(row) for row in table.rows] == [
        ["cpu", "x"],
        ["memory_bytes", "16 GiB"],
        ["swap", "not known"],
        ["packages", "flask 3"],
        ["cores", "[0, 1]"],
    ]


def test_an_incomplete_run_is_doubtful(tmp_path: Path) -> None:
    doubts = doubted(make_known_run(tmp_path / "run.sqlite", trials=7))
    assert "The run is not complete: 7 of 40 trials are measured." in doubts
    assert "4 of 4 cases have no traced trial." in doubts


def test_what_may_be_chance_or_is_undecided_is_doubtful(tmp_path: Path) -> None:
    truths = [Truth(WHOLE, 50), Truth(STREAM, 2)]
    doubts = doubted(make_known_run(tmp_path / "run.sqlite", truths, blocks=6))
    assert "Better, but so few blocks make no firm verdict: ttfb_p50 of orders rows=500." in doubts


def test_every_definition_has_a_meaning_and_its_place_in_the_document() -> None:
    document = DOCUMENT.read_text("utf-8")
    assert set(MEANINGS) == {figure.definition for figure in FIGURES.values()}
    assert [name for item in definitions() for name in item.figures] == list(FIGURES)
    for item in definitions():
        assert item.id in document
