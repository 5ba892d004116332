"""``streamgauge history`` on folders of stores whose truth is known."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from results.case import Case
from results.errors import ExitCode
from tests.cli.conftest import Streamgauge
from tests.cli.stores import blocks, make_store
from tests.results.examples import STREAM, WHOLE


def commit(letter: str, day: int, *, dirty: bool = False) -> dict[str, object]:
    committed = f"2031-01-{day:02}T00:00:00+00:00"
    return {"git": {"commit": letter * 40, "committed_utc": committed, "dirty": dirty}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three runs; the newest commit's stream is slower, and it was measured with another Python."""
    made = tmp_path / "runs"
    made.mkdir()
    slow = {STREAM.identity: blocks(2.6, memory_mib=1)}
    make_store(made / "x.sqlite", slow, environment=commit("c", 3, dirty=True) | {"python": "3.13"})
    make_store(made / "y.sqlite", environment=commit("a", 1))
    make_store(made / "z.sqlite", environment=commit("b", 2), finished=False)
    return made


def rows(text: str) -> list[str]:
    return [line.split(" ")[0] for line in text.splitlines() if "│" in line]


def test_runs_are_in_the_order_of_their_commits_and_the_jump_is_marked(
    streamgauge: Streamgauge, folder: Path
) -> None:
    done = streamgauge("history", "runs")
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert rows(done.stdout) == ["y", "z", "x"]
    assert "\norders rows=500\n" in done.stdout
    assert re.search(r"x +│ ccccccccc\* +│ changed: python +│ ×0.052 \(×.* to ×.*\) worse", done.stdout)
    assert re.search(r"z +│ bbbbbbbbb +│ not complete +│ ×0.04 \(×[.\d]+ to ×[.\d]+\) +│", done.stdout)
    assert "ttfb_p50 ▁▁█" in done.stdout
    assert re.search(r"^worse: orders rows=500: ttfb_p50 from z to x: ×1.3;", done.stdout, re.MULTILINE)
    assert "throughput ▅▅▅" in done.stdout


def test_figures_and_cases_can_be_chosen(streamgauge: Streamgauge, folder: Path) -> None:
    done = streamgauge("history", "runs", "--figure", "peak_memory", "--only", "rows=500")
    assert done.returncode == ExitCode.GOOD
    assert "peak_memory ▅▅▅" in done.stdout
    assert "ttfb_p50" not in done.stdout
    assert "-4 MiB" in done.stdout
    nothing = streamgauge("history", "runs", "--only", "rows=9")
    assert nothing.returncode == ExitCode.USAGE
    assert "no case that has a baseline and 'rows=9'" in nothing.stderr


def test_what_cannot_be_read_is_named_and_skipped_and_2(streamgauge: Streamgauge, folder: Path) -> None:
    (folder / "torn.sqlite").write_bytes((folder / "x.sqlite").read_bytes()[:-1])
    (folder / "text.sqlite").write_text("no store")
    done = streamgauge("history", "runs")
    assert done.returncode == ExitCode.USAGE
    assert rows(done.stdout) == ["y", "z", "x"]
    assert re.search(r"SKIPPED: .*torn\.sqlite is damaged .*the end of the file is missing", done.stderr)
    assert re.search(r"SKIPPED: .*text\.sqlite is not a streamgauge store", done.stderr)


def test_a_copy_is_shown_once(streamgauge: Streamgauge, folder: Path) -> None:
    shutil.copy(folder / "x.sqlite", folder / "x-copy.sqlite")
    done = streamgauge("history", "runs")
    assert done.returncode == ExitCode.GOOD
    assert len(rows(done.stdout)) == 3
    assert "is a copy of x" in done.stderr


@pytest.mark.parametrize("name", ["empty", "nowhere", "baseless"])
def test_nothing_to_show_is_2(streamgauge: Streamgauge, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    alone = Case({"target": "alone", "form": "stream"}, None)
    make_store(tmp_path / "baseless" / "a.sqlite", {alone.identity: blocks(1)}, cases=[alone])
    done = streamgauge("history", name)
    assert done.returncode == ExitCode.USAGE
    assert name in done.stderr


def test_json_holds_what_the_tables_say(streamgauge: Streamgauge, folder: Path) -> None:
    done = streamgauge("history", "runs", "--json")
    assert done.returncode == ExitCode.GOOD
    document = json.loads(done.stdout)
    assert [run["name"] for run in document["runs"]] == ["y", "z", "x"]
    assert [run["changed"] for run in document["runs"]] == [[], [], ["python"]]
    assert [run["complete"] for run in document["runs"]] == [True, False, True]
    series = {item["figure"]: item for item in document["series"]}
    points = series["ttfb_p50"]["points"]
    assert [point["verdict_since"] for point in points] == [None, "same", "worse"]
    assert [point["since"] for point in points] == [None, "y", "z"]
    assert [point["estimate"] for point in points] == pytest.approx([0.04, 0.04, 0.052], rel=0.01)
    assert series["peak_memory"]["scale"] == "bytes"
    assert series["ttfb_p50"]["case"] == STREAM.identity != WHOLE.identity
