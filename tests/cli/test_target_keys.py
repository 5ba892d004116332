"""Keys of a target that decide when a response counts: status, row_marker, check and timeout."""

from __future__ import annotations

from pathlib import Path

from results.errors import ExitCode
from results.store import Store
from tests.cli.conftest import Streamgauge, once

APP = """
import itertools, time

count = itertools.count()

def app(environ, start_response):
    path = environ["PATH_INFO"]
    start_response("201 Created" if path.startswith("/made") else "200 OK", [("Content-Type", "text/plain")])
    if path.startswith("/made"):
        rows = [b"head|", *[b"one row of many|" * 10] * 50]
    elif path.startswith("/clock"):
        rows = [b"%020d" % next(count), *[b"the same every time " * 10] * 50]
    elif path == "/stuck":
        return (time.sleep(0.05) or b"more" for _ in count)
    else:
        return [b"ready"]
    return [b"".join(rows)] if path.endswith("/whole") else iter(rows)
"""
HEAD = """
name = "keys"
blocks = 1
warmup = "0.1s"
window = "0.2s"
trace = false
"""
TAIL = """
[[server]]
kind = "gunicorn"

[[scenario]]
kind = "download"
"""
COUNTED = """
[[target]]
name = "made"
app = "keys:app"
directory = "."
baseline = "/made/whole"
stream = "/made"
status = 201
row_marker = "|"

[[target]]
name = "clock"
app = "keys:app"
directory = "."
baseline = "/clock/whole"
stream = "/clock"
check = "length"
"""
STUCK = """
[[target]]
name = "stuck"
app = "keys:app"
directory = "."
baseline = "/made/whole"
stream = "/stuck"
timeout = "0.5s"
"""


def test_what_a_suite_says_counts_does(streamgauge: Streamgauge, tmp_path: Path) -> None:
    (tmp_path / "keys.py").write_text(APP)
    (tmp_path / "keys.toml").write_text(HEAD + COUNTED + TAIL)
    done = streamgauge("run", "keys.toml", "--output", "keys.sqlite")
    assert done.returncode == ExitCode.GOOD, done.stderr
    with Store.open(tmp_path / "keys.sqlite") as store:
        run = store.read()
    assert {found.status for found in run.verifications.values()} == {200, 201}
    assert {tuple(trial.outcomes) for trial in run.trials} == {("verified",)}
    first_rows = {
        str(case.parameters["target"]): {
            trial.figures["ttfr_p50"] is not None for trial in run.trials if trial.slot.case == case.identity
        }
        for case in run.header.cases
    }
    assert first_rows == {"made": {True}, "clock": {False}}, "text/plain has rows where the suite says so"


def test_a_status_and_a_time_that_the_suite_did_not_say_are_failures(tmp_path: Path) -> None:
    (tmp_path / "keys.py").write_text(APP)
    (tmp_path / "keys.toml").write_text(HEAD + STUCK + TAIL)
    done = once(tmp_path, "run", "keys.toml", "--no-report")
    assert done.returncode == ExitCode.INVALID
    assert (
        "target=stuck timeout_s=30 users=1 worker_class=sync workers=1: status 201 instead of 200"
        in done.stderr
    )
    (stuck,) = (line for line in done.stderr.splitlines() if "form=stream" in line)
    assert "0.5 s" in stuck
