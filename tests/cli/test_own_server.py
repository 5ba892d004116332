"""A server of somebody's own: started by its command for each trial, or there before us."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.programs.ports import free_port
from results.errors import ExitCode
from results.store import Store
from tests.cli.conftest import Streamgauge
from tests.cli.processes import command_of

SERVER = """
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        rows = [b"a,b\\n"] * 400
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        if self.path == "/stream":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for row in [*rows[::40], b""]:
                body = row * 40
                self.wfile.write(b"%x\\r\\n%s\\r\\n" % (len(body), body))
        else:
            body = b"".join(rows) if self.path == "/whole" else b"ready"
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        pass

host, _, port = sys.argv[1].partition(":")
http.server.ThreadingHTTPServer((host, int(port)), Handler).serve_forever()
"""
SUITE = """
name = "own"
blocks = 1
warmup = "0.1s"
window = "0.2s"

[[target]]
name = "started"
command = "{python} 'my server.py' {{bind}}"
baseline = "/whole"
stream = "/stream"

[[target]]
name = "there"
url = "http://127.0.0.1:{port}"
baseline = "/whole"
stream = "/stream"

[[target]]
name = "known"
url = "http://localhost:{port}/"
pid = {pid}
baseline = "/whole"
stream = "/stream"

[[scenario]]
kind = "download"
"""


@pytest.fixture
def there(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """The port and the process of a server that nobody of us has started."""
    (tmp_path / "my server.py").write_text(SERVER)
    port = free_port()
    with subprocess.Popen([sys.executable, "my server.py", f"127.0.0.1:{port}"], cwd=tmp_path) as process:
        try:
            yield port, process.pid
        finally:
            process.kill()


def test_what_is_started_and_what_is_there_are_measured(
    streamgauge: Streamgauge, tmp_path: Path, there: tuple[int, int]
) -> None:
    port, pid = there
    (tmp_path / "own.toml").write_text(SUITE.format(python=shlex.quote(sys.executable), port=port, pid=pid))
    done = streamgauge("run", "own.toml", "--output", "own.sqlite")
    assert done.returncode == ExitCode.GOOD, done.stderr
    assert "traced:" not in done.stdout
    with Store.open(tmp_path / "own.sqlite") as store:
        run = store.read()
        assert store.traces() == []
    assert {found.body_bytes for found in run.verifications.values()} == {1600}
    told = {
        str(case.parameters["target"]): {
            trial.figures["peak_memory"] is not None and trial.figures["cpu_per_mb"] is not None
            for trial in run.trials
            if trial.slot.case == case.identity
        }
        for case in run.header.cases
    }
    assert told == {"started": {True}, "there": {False}, "known": {True}}
    assert all(trial.figures["ttfb_p50"] for trial in run.trials)
    # what was there goes on, and nothing that was started does
    running = [process.pid for process in psutil.process_iter() if "my server.py" in command_of(process)]
    assert running == [pid]


def test_a_gate_on_what_nobody_knows_is_refused(streamgauge: Streamgauge, tmp_path: Path) -> None:
    gate = '[[gate]]\ncase = "there"\nmetric = "peak_memory"\nat_most = "1 MiB"\n'
    (tmp_path / "own.toml").write_text(SUITE.format(python="python3", port=1, pid=1) + gate)
    refused = streamgauge("plan", "own.toml")
    assert refused.returncode == ExitCode.USAGE
    assert "of a url nobody knows the process; give the target its pid" in refused.stderr
