"""What the command line meets outside: closed pipes, odd folders, another machine."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest

from tests.cli.conftest import PROGRAM, Measured, Streamgauge


def plan_into(output: IO[bytes], folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [PROGRAM, "plan", "full"], stdout=output, stderr=subprocess.PIPE, cwd=folder, timeout=60, check=False
    )


def test_a_closed_pipe_is_not_the_gate_s_word_for_worse(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as nobody_reads:
        done = plan_into(nobody_reads, tmp_path)
    assert done.returncode == 0
    assert done.stderr == b""


def test_an_output_that_fails_is_told_and_is_not_1(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = plan_into(full, tmp_path)
    assert done.returncode == 3
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_long_path_for_temporary_files_is_no_hindrance(narrow_run: Measured) -> None:
    (deep,) = (path for path in narrow_run.folder.iterdir() if path.is_dir())
    assert len(deep.name) > 100
    assert narrow_run.done.returncode == 0
    assert list(deep.iterdir()) == []


def test_a_run_that_verified_nothing_leaves_no_store(
    streamgauge: Streamgauge, tiny: Path, tmp_path: Path
) -> None:
    tiny.write_text(tiny.read_text().replace('"/csv?total={total}"', '"/nowhere?total={total}"'))
    done = streamgauge("run", str(tiny))
    assert done.returncode == 3
    assert "status 404 instead of 200" in done.stderr
    assert "nothing is kept" in done.stderr
    assert list((tmp_path / "results").iterdir()) == []


def test_a_response_longer_than_the_window_is_no_figure(streamgauge: Streamgauge, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import time\n"
        "def app(environ, start_response):\n"
        "    time.sleep(0 if environ['PATH_INFO'] == '/' else 0.6)\n"
        "    start_response('200 OK', [('Content-Length', '2')])\n"
        "    return [b'ok']\n"
    )
    suite = tmp_path / "slow.toml"
    suite.write_text(
        'name = "slow"\nblocks = 1\ntrace = false\nwarmup = "0.1s"\nwindow = "0.1s"\n'
        '[[target]]\nname = "slow"\napp = "slow:app"\ndirectory = "."\nbaseline = "/a"\nstream = "/b"\n'
        '[[server]]\nkind = "gunicorn"\n[[scenario]]\nkind = "download"\n'
    )
    done = streamgauge("run", str(suite))
    assert done.returncode == 3
    assert "no request was sent inside the window" in done.stderr


def test_an_app_that_fails_speaks_in_the_message(streamgauge: Streamgauge, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "def app(environ, start_response):\n"
        "    if environ['PATH_INFO'] != '/':\n"
        "        raise RuntimeError('the till is jammed')\n"
        "    start_response('200 OK', [('Content-Length', '0')])\n"
        "    return []\n"
    )
    suite = tmp_path / "shop.toml"
    suite.write_text(
        'name = "shop"\nblocks = 1\n'
        '[[target]]\nname = "shop"\napp = "shop:app"\ndirectory = "."\nbaseline = "/a"\nstream = "/b"\n'
        '[[server]]\nkind = "gunicorn"\n[[scenario]]\nkind = "download"\n'
    )
    done = streamgauge("run", str(suite))
    assert done.returncode == 3
    assert "status 500 instead of 200" in done.stderr
    assert "the till is jammed" in done.stderr


@pytest.mark.parametrize(("name", "value"), [("python", "2.7.18"), ("cores", {"server": [7], "load": [8]})])
def test_a_run_does_not_go_on_where_its_trials_would_not_be_alike(
    streamgauge: Streamgauge, narrow_run: Measured, tmp_path: Path, name: str, value: object
) -> None:
    with closing(sqlite3.connect(narrow_run.copied_to(tmp_path))) as connection, connection:
        connection.execute("UPDATE environment SET value = ? WHERE name = ?", (json.dumps(value), name))
        connection.execute("PRAGMA foreign_keys=OFF")
    done = streamgauge("run", "--resume", "run.sqlite")
    assert done.returncode == 2
    assert name in done.stderr
    assert "would not be alike" in done.stderr


def test_a_gate_that_only_leaves_out_is_named(narrow_run: Measured) -> None:
    assert narrow_run.done.returncode == 0
    assert "gate: rows=1 users=2: ttfb_p50 at most 1 s: NOT JUDGED" in narrow_run.done.stdout
