"""A server that dies in the middle of a run, and then does not start: the run goes on and tells both."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from results.errors import ExitCode
from results.faults import Fault
from results.store import Store
from tests.cli.conftest import once

#: Verify has the first start, and six trials the others.
SERVER = """
import pathlib, sys
sys.path.insert(0, {root!r})
count = pathlib.Path("starts")
number = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(number))
from tests.harness import misbehaving
sys.argv[2:] = [{{3: "killed", 4: "breaks"}}.get(number, "well")]
misbehaving.main()
"""
SUITE = """
name = "bad"
blocks = 2
warmup = "0.1s"
window = "0.2s"

[[target]]
name = "shop"
command = "{python} 'my server.py' {{bind}}"
ready = "/ready"
baseline = "/whole"
stream = "/stream"

[[scenario]]
kind = "download"
"""


def test_a_run_goes_on_after_a_server_that_died_and_one_that_did_not_start(tmp_path: Path) -> None:
    (tmp_path / "my server.py").write_text(SERVER.format(root=str(Path(__file__).parents[2])))
    (tmp_path / "bad.toml").write_text(SUITE.format(python=shlex.quote(sys.executable)))
    done = once(tmp_path, "run", "bad.toml", "--output", "out.sqlite")
    assert done.returncode == ExitCode.INVALID, done.stderr
    assert (tmp_path / "out.sqlite").exists(), done.stderr
    with Store.open(tmp_path / "out.sqlite") as store:
        run = store.read()
    assert run.finished_utc is not None
    faults = [trial.fault for trial in run.trials]
    assert len(faults) == 6
    assert faults[1:3] == [Fault.SERVER_DIED, Fault.SERVER_DID_NOT_START]
    assert set(faults) - {Fault.SERVER_DIED, Fault.SERVER_DID_NOT_START} <= {
        None,
        Fault.LOAD_BEHIND,
        Fault.MACHINE_DISTURBED,
    }
    for fault in (Fault.SERVER_DIED, Fault.SERVER_DID_NOT_START):
        assert f"{fault} (1 trial): {fault.hint}" in done.stderr
        assert fault.hint in (tmp_path / "out.html").read_text("utf-8")
    exported = once(tmp_path, "export", "out.sqlite", "--format", "json")
    told = {item["fault"]: item["trials"] for item in json.loads(exported.stdout)["run"]["faults"]}
    assert told[Fault.SERVER_DIED] == told[Fault.SERVER_DID_NOT_START] == 1
