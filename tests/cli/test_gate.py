"""A gate's exit code, from real trials."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import TINY, Streamgauge

GATE = """
[[gate]]
case = "flights.csv rows=100"
metric = "ttfb_p50"
at_most = "{limit} of baseline"
"""


@pytest.mark.parametrize(("limit", "code", "word"), [("20", 0, "not worse"), ("0.01", 1, "WORSE")])
def test_a_gate_decides_the_exit_code(
    streamgauge: Streamgauge, tmp_path: Path, limit: str, code: int, word: str
) -> None:
    suite = tmp_path / "gated.toml"
    text = TINY.format(blocks=5).replace('"0.3s"', '"0.1s"').replace("[1, 100]", "100")
    suite.write_text(text + GATE.format(limit=limit))
    done = streamgauge("run", str(suite))
    assert done.returncode == code, done.stderr
    assert f"gate: flights.csv rows=100: ttfb_p50 at most {limit} of baseline: {word}" in done.stdout


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
