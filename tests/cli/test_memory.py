"""Memory from the first word to the last line: an app that holds what it says, under a real server."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from harness.cli.memory import print_slopes
from results.errors import ExitCode
from tests.analysis.sizes import MB, grown
from tests.cli.conftest import Streamgauge, patiently

#: A body of `mib` x 1,024,000 bytes, and as many MiB held for it (or nothing, in the stream).
HELD_FOR_EACH_BYTE = (1 << 20) / 1_024_000
SUITE = """
name = "sizes"
blocks = 1
warmup = "0.3s"
trace = false
window = "0.2s"

[[target]]
name = "block"
app = "memory_app:app"
directory = "{folder}"
ready = "/small"
baseline = "/hold?mib={{mib}}&ms=1&kib={{mib}}000"
stream = "/small?kib={{mib}}000"
mib = [2, 4, 8, 16]

[[server]]
kind = "gunicorn"
preload = {preload}
workers = {workers}

[[scenario]]
kind = "download"
"""
SYNTHETIC = Path(__file__).parent.parent / "synthetic"


def test_a_block_for_each_response_has_the_slope_of_its_size_and_a_stream_has_none(
    streamgauge: Streamgauge, tmp_path: Path
) -> None:
    suite = tmp_path / "sizes.toml"
    suite.write_text(SUITE.format(folder=SYNTHETIC, preload="false", workers=1))
    done = patiently(tmp_path, "sizes.sqlite", "run", "sizes.toml")
    assert done.returncode == ExitCode.GOOD, done.stderr
    shown = streamgauge("show", "sizes.sqlite").stdout
    for text in (done.stdout, shown):
        slopes = dict(re.findall(r"^  (block.*): (-?[0-9.]+) B held for each byte", text, re.MULTILINE))
        assert float(slopes["block whole"]) == pytest.approx(HELD_FOR_EACH_BYTE, abs=0.1)
        assert float(slopes["block"]) == pytest.approx(0, abs=0.1)
        assert "no interval: it takes 6 blocks" in text
    assert re.search(r"block whole mib=16: grew by 1[67][.\d]* MiB, kept .*, PSS of the tree \d", shown)

    with closing(sqlite3.connect(f"{(tmp_path / 'sizes.sqlite').as_uri()}?mode=ro", uri=True)) as store:
        inside = store.execute(
            "SELECT count(*) FROM pss_sample JOIN trial USING (position) "
            "WHERE at_ns < window_close_ns AND at_ns + took_ns > window_open_ns"
        ).fetchone()
        trials = store.execute(
            "SELECT position, sum(at_ns < window_open_ns), sum(at_ns > drained_ns) "
            "FROM pss_sample JOIN trial USING (position) GROUP BY position"
        ).fetchall()
    assert inside == (0,)
    assert len(trials) == 12
    assert all(before >= 1 and after == 1 for _, before, after in trials)
    assert sum(before for _, before, _ in trials) > len(trials), "the warm-ups were sampled"


@pytest.mark.parametrize(
    ("held", "line"),
    [
        (0.0, "  orders: 0.000 B held for each byte (-0.008 to 0.008), 244 KiB to 15.3 MiB: constant\n"),
        (0.01, "  orders: 0.010 B held for each byte (0.002 to 0.018), 244 KiB to 15.3 MiB\n"),
        (1.5, "  orders: 1.500 B held for each byte (1.492 to 1.508), 244 KiB to 15.3 MiB\n"),
    ],
)
def test_constant_is_said_only_where_the_interval_shows_it(
    capsys: pytest.CaptureFixture[str], held: float, line: str
) -> None:
    print_slopes(grown(lambda length, _: 5 * MB + held * length))
    assert capsys.readouterr().out.endswith(line)


def test_a_run_of_one_size_says_nothing_of_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    print_slopes(grown(lambda length, _: length, totals=[100]))
    assert capsys.readouterr().out == ""


def test_preload_is_a_part_of_the_case_where_it_is_asked_for(
    streamgauge: Streamgauge, tmp_path: Path
) -> None:
    suite = tmp_path / "sizes.toml"
    suite.write_text(SUITE.format(folder=SYNTHETIC, preload="[false, true]", workers=2))
    planned = streamgauge("plan", str(suite), "--only", "mib=2").stdout
    assert "block preload=true" in planned
    assert "block preload=false" in planned
    identities = re.findall(r"^ +form=.*$", planned, re.MULTILINE)
    assert sum("preload=true" in identity for identity in identities) == len(identities) / 2
    assert "preload=false" not in "".join(identities)

    done = streamgauge(
        "run", str(suite), "--only", "mib=4 form=stream preload=true", "--output", "one.sqlite"
    )
    assert done.returncode == ExitCode.GOOD, done.stderr
    with closing(sqlite3.connect(f"{(tmp_path / 'one.sqlite').as_uri()}?mode=ro", uri=True)) as store:
        roles = store.execute("SELECT role, count(*) FROM process GROUP BY role").fetchall()
    assert dict(roles) == {"master": 3, "worker": 6}
