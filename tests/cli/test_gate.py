"""A gate's exit code, from real trials."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from results.errors import ExitCode
from tests.cli.conftest import TINY, Streamgauge

GATE = """
[[gate]]
case = "flights.csv rows=100"
metric = "ttfb_p50"
at_most = "{limit} of baseline"
"""


def test_a_gate_decides_the_exit_code(streamgauge: Streamgauge, patient: Streamgauge, tmp_path: Path) -> None:
    text = TINY.format(blocks=5).replace('"0.3s"', '"0.2s"').replace("[1, 100]", "100")
    (tmp_path / "gated.toml").write_text(text + GATE.format(limit="20"))
    done = patient("gated.toml", "gated.sqlite")
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert "gate: flights.csv rows=100: ttfb_p50 at most 20 of baseline: not worse" in done.stdout

    # the same trials, held to a limit that they do not keep
    with closing(sqlite3.connect(tmp_path / "gated.sqlite")) as store, store:
        store.execute("UPDATE run SET suite_toml = ?", (text + GATE.format(limit="0.01"),))
    done = streamgauge("run", "--resume", "gated.sqlite")
    assert done.returncode == ExitCode.WORSE, done.stderr
    assert "gate: flights.csv rows=100: ttfb_p50 at most 0.01 of baseline: WORSE" in done.stdout


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
