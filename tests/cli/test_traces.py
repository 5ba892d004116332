"""Traced trials as a user meets them: in the store, in `show`, and when they fail."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from results.store import Store
from tests.cli.conftest import TINY, Measured, Streamgauge, once


def test_each_case_of_a_run_is_traced_and_shown(traced_run: Measured) -> None:
    assert traced_run.done.stdout.count("\ntraced: flights.csv") == 3
    with Store.open(traced_run.store) as store:
        run, traces = store.read(), store.traces()
        whole = store.trace(traces[1].case)
    assert {trace.case for trace in traces} == {slot.case for slot in run.header.slots}
    assert all(trace.reason is None and trace.note is None for trace in traces)
    by_rows = {trace.case.partition("rows=")[2].partition(" ")[0]: trace for trace in traces}
    assert {rows: trace.figures["yields"] for rows, trace in by_rows.items()} == {"": 1, "1": 300, "100": 3}
    for trace in traces:
        body_bytes = run.verifications[trace.case].body_bytes
        assert {request.yielded_bytes for request in trace.requests} == {body_bytes}
        assert {request.body_bytes for request in trace.requests} == {body_bytes}
    assert whole is not None
    assert whole.waterfall is not None
    assert whole.waterfall.reads[-1, 2] == run.verifications[whole.case].body_bytes
    shown = once(traced_run.folder, "show", "latest").stdout.partition("Traced, one user")[2]
    for row in ("flights.csv whole", "flights.csv rows=1 ", "flights.csv rows=100"):
        assert row in shown
    assert "×" in shown
    assert "not traced" not in shown


def test_a_resumed_run_traces_what_is_not_traced_yet(
    streamgauge: Streamgauge, traced_run: Measured, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(traced_run.copied_to(tmp_path))) as connection, connection:
        connection.execute("DELETE FROM traced_request WHERE trace = 2")
        connection.execute("DELETE FROM traced_figure WHERE trace = 2")
        connection.execute("DELETE FROM traced_yield WHERE trace = 2")
        connection.execute("DELETE FROM traced_read WHERE trace = 2")
        connection.execute("DELETE FROM trace WHERE trace = 2")
        connection.execute("UPDATE run SET finished_utc = NULL")
    with Store.open(tmp_path / "run.sqlite") as store:
        before = store.traces()
    assert len(before) == 2
    done = streamgauge("run", "--resume", "run.sqlite")
    assert done.returncode == 0, done.stderr
    with Store.open(tmp_path / "run.sqlite") as store:
        after, run = store.traces(), store.read()
    assert after[:2] == before
    assert [trace.reason for trace in after] == [None] * 3
    assert run.finished_utc


def test_a_trace_that_fails_is_told_and_spoils_no_timed_trial(
    streamgauge: Streamgauge, tmp_path: Path
) -> None:
    (tmp_path / "shy.py").write_text(
        "import os\n"
        "if 'STREAMGAUGE_LEDGER_APP' in os.environ:\n"
        "    raise RuntimeError('I do not work while I am watched')\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/csv')])\n"
        "    return iter([b'a\\n', b'1\\n'])\n"
    )
    suite = tmp_path / "shy.toml"
    text = TINY.format(blocks=1).replace("trace = false", "").replace("[1, 100]", "[1]")
    suite.write_text(text.replace('app = "targets.csv_app:app"', 'app = "shy:app"\ndirectory = "."'))
    done = streamgauge("run", str(suite), "--output", "run.sqlite")
    assert done.returncode == 0, done.stderr
    told = done.stdout + done.stderr
    assert "not traced: flights.csv whole: " in told
    assert "I do not work while I am watched" in told
    with Store.open(tmp_path / "run.sqlite") as store:
        assert all(trace.reason and "ended with code" in trace.reason for trace in store.traces())
        assert all(trial.reason is None for trial in store.read().trials)
        assert store.read().finished_utc
    assert "I do not work while I am watched" in streamgauge("show", "run.sqlite").stdout
