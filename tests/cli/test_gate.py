"""A gate's exit code, from real trials."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from results.errors import ExitCode
from tests.cli import pieces
from tests.cli.conftest import TINY, Measured, Streamgauge, once
from tests.cli.spoilt import Done

GATE = """
[[gate]]
case = "flights.csv rows=100"
metric = "ttfb_p50"
at_most = "{limit} of baseline"
"""


def test_a_gate_decides_the_exit_code(pieces_run: Measured, tmp_path: Path) -> None:
    done = pieces_run.done
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert "gate: pieces size=1000: ttfb_p50 at most 20 of baseline: not worse" in done.stdout

    # the same trials, held to a limit that they do not keep
    done = judged_by(pieces.SUITE.format(limit="0.01"), pieces_run, tmp_path)
    assert done.returncode == ExitCode.WORSE, done.stderr
    assert "gate: pieces size=1000: ttfb_p50 at most 0.01 of baseline: WORSE" in done.stdout


def test_a_margin_is_left_to_ab(pieces_run: Measured, tmp_path: Path) -> None:
    limit = pieces.SUITE.format(limit="20")
    margin = limit[limit.index("[[gate]]") :].replace('at_most = "20 of baseline"', 'margin = "10%"')
    done = judged_by(limit + margin, pieces_run, tmp_path)
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert "gate: pieces size=1000: ttfb_p50 at most 20 of baseline: not worse" in done.stdout
    told = "gate: pieces size=1000: ttfb_p50 within 10% of base: NOT JUDGED, a margin is for ab"
    assert told in done.stdout


def judged_by(suite: str, measured: Measured, folder: Path) -> Done:
    """What the end of a run says whose suite is this one."""
    with closing(sqlite3.connect(measured.copied_to(folder))) as store, store:
        store.execute("UPDATE run SET suite_toml = ?", (suite,))
    return once(folder, "run", "--resume", "run.sqlite", "--no-report")


def test_a_gate_that_could_never_fail_is_refused(streamgauge: Streamgauge, tmp_path: Path) -> None:
    suite = tmp_path / "gated.toml"
    suite.write_text(TINY.format(blocks=4) + GATE.format(limit="1"))
    done = streamgauge("run", str(suite))
    assert done.returncode == 2
    assert "at least 5 blocks" in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_gate_on_a_case_that_is_not_there_is_refused(streamgauge: Streamgauge, tmp_path: Path) -> None:
    suite = tmp_path / "gated.toml"
    suite.write_text(TINY.format(blocks=8) + GATE.format(limit="1").replace("rows=100", "rows=99"))
    done = streamgauge("run", str(suite))
    assert done.returncode == 2
    assert "names no case" in done.stderr
