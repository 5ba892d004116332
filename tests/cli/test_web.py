"""``run --web``: Locust's web UI shows the load while it goes on, and can do no more than that."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from results.errors import ExitCode
from results.store import Store
from tests.cli.conftest import PROGRAM, TINY, Measured, Streamgauge, environment, once


def asked(port: int, method: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def shown_load(port: int) -> tuple[str, int]:
    """What the page says is asked, and how often it was so far; nothing before the first request."""
    entries = json.loads(asked(port, "GET", "/stats/requests")[1])["stats"]
    named = [entry for entry in entries if entry["name"] != "Aggregated"]
    return (named[0]["name"], named[0]["num_requests"]) if named else ("", 0)


def test_the_load_is_shown_and_cannot_be_touched(
    streamgauge: Streamgauge, traced_run: Measured, tmp_path: Path
) -> None:
    (tmp_path / "tiny.toml").write_text(TINY.format(blocks=1))
    with subprocess.Popen(
        [PROGRAM, "run", "tiny.toml", "--web", "--output", "run.sqlite", "--no-report"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        announced = run.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", announced)
        assert found, announced
        assert "take time from the load" in announced
        port = int(found[1])
        assert "verifying" in run.stdout.readline()  # the driver, and the page with it, has started or will
        output: list[str] = []
        reader = threading.Thread(target=lambda: output.extend(run.stdout or ()))
        reader.start()
        seen: dict[str, int] = {}
        deadline = time.monotonic() + 60
        while run.poll() is None and time.monotonic() < deadline:
            try:
                if not seen:
                    for path in ("/swarm", "/stop", "/stats/reset"):
                        status, why = asked(port, "POST", path)
                        assert status == 403
                        assert "Ctrl-C" in why
                    assert asked(port, "GET", "/")[0] == 200
                name, count = shown_load(port)
                seen[name] = max(seen.get(name, 0), count)
            except (ConnectionError, http.client.HTTPException, TimeoutError):
                pass_time_s = 0.05  # not there yet, or not any more
                time.sleep(pass_time_s)
            time.sleep(0.1)
        assert run.wait(60) in {ExitCode.GOOD, ExitCode.INVALID}, output
        reader.join(10)
        errors = run.stderr.read()
    trials = [name for name in seen if name.startswith("form=")]
    assert trials, seen
    assert all(seen[name] > 0 for name in trials)
    assert "measured with Locust's web UI" in errors
    with pytest.raises(ConnectionRefusedError):
        asked(port, "GET", "/")
    with Store.open(tmp_path / "run.sqlite") as store:
        stored = store.read()
    assert stored.finished_utc
    assert len(stored.trials) == 4
    assert stored.header.environment["web_ui"] == "on"
    assert "measured with Locust's web UI" in streamgauge("show", "run.sqlite").stderr

    plain = str(traced_run.store)
    compared = streamgauge("compare", plain, "run.sqlite")
    assert "CHANGED: web_ui was None and is on" in compared.stdout
    refused = streamgauge("run", "--resume", plain, "--web")
    assert refused.returncode == ExitCode.USAGE
    assert "web_ui was None and is on" in refused.stderr


def test_a_run_without_it_has_no_such_mark(traced_run: Measured) -> None:
    with Store.open(traced_run.store) as store:
        assert "web_ui" not in store.read().header.environment
    assert "web UI" not in once(traced_run.folder, "show").stderr


def test_a_port_that_is_taken_is_told_before_anything_starts(
    streamgauge: Streamgauge, tiny: Path, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = streamgauge("run", str(tiny), "--web-port", str(port))
    assert done.returncode == ExitCode.USAGE
    assert f"port {port} on 127.0.0.1" in done.stderr
    assert "--web-port" in done.stderr
    assert not (tmp_path / "results").exists()
