"""httpbin, an app from PyPI that nobody here wrote: its suite in docs/, walked in a copy of its folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.suites.file import load_suite
from results.errors import ExitCode
from results.store import Store
from tests.cli.conftest import PROGRAM, environment
from tests.cli.spoilt import Done, again_while_spoilt

DOCS = Path(__file__).parent.parent / "docs"
#: How pip says that no index could be asked.
_NO_NETWORK = re.compile(
    r"No matching distribution|Failed to establish a new connection|Could not fetch URL|name resolution"
)


def ran(folder: Path, *words: str) -> Done:
    """The command line in the folder; the first one makes an environment, which takes a while."""
    return subprocess.run(
        [PROGRAM, *words],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def unless_alone(done: Done) -> None:
    """Skip where no package index can be reached, and fail under CI=true."""
    found = _NO_NETWORK.search(done.stderr) if "prepare" in done.stderr else None
    if found is not None:
        reason = f"httpbin cannot be installed, for no package index is reached ({found[0]})"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.mark.timeout(600)
def test_it_is_measured_by_its_suite_alone(tmp_path: Path) -> None:
    folder = tmp_path / "httpbin"
    shutil.copytree(DOCS / "httpbin", folder, ignore=shutil.ignore_patterns(".venv"))
    suite = folder / "httpbin.toml"
    # one block is too few for a gate; the way is walked, not the distance
    quick = (
        suite.read_text("utf-8")
        .partition("[[gate]]")[0]
        .replace('"2s"', '"0.5s"')
        .replace('"0.5s"', '"0.2s"', 1)
    )
    suite.write_text(quick, "utf-8")
    words = ("run", "httpbin.toml", "--blocks", "1", "--output", "run.sqlite", "--no-report")
    done = again_while_spoilt(lambda: ran(folder, *words), folder)
    unless_alone(done)
    assert done.returncode == ExitCode.GOOD, done.stderr
    with Store.open(folder / "run.sqlite") as store:
        run, traces = store.read(), store.traces()
    found = list(run.verifications.values())
    assert len({item.digest for item in found}) == 1
    assert [item.body_bytes for item in found] == [102_400] * 4
    assert [item.framing for item in found] == ["length", "chunked", "chunked", "chunked"]
    assert [item.chunks for item in found] == [None, 1024, 100, 10]
    assert [trace.reason for trace in traces] == [None] * 4
    assert [trial.reason for trial in run.trials] == [None] * 5
    assert "prepare.py" in " ".join(run.preparations[0].command)

    site = next((folder / ".venv").glob("lib/python*/site-packages"))
    names = {path.name.partition("-")[0].lower() for path in site.iterdir()}
    assert {"httpbin", "gunicorn", "greenlet"} <= names
    assert not names & {"streamgauge", "locust", "gevent", "numpy", "psutil", "__editable__"}


def test_the_document_shows_the_suite_and_its_pins_are_whole() -> None:
    text = (DOCS / "public-app.md").read_text("utf-8")
    (shown,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert shown == (DOCS / "httpbin" / "httpbin.toml").read_text("utf-8")
    assert load_suite(str(DOCS / "httpbin" / "httpbin.toml")).gate
    pins = (DOCS / "httpbin" / "requirements.txt").read_text("utf-8")
    packages = re.split(r"\n(?=\S)", pins.rstrip())
    assert {"httpbin", "gunicorn"} <= {package.partition("==")[0] for package in packages}
    assert all("==" in package and "--hash=sha256:" in package for package in packages)
    assert "://" not in pins
