"""A disk that fills up, or cannot be written any more, in the middle of a run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from results.store import Store
from tests.cli.conftest import PROGRAM, Measured, environment
from tests.programs import need_mounts

#: Runs in mounts of its own: argv[1] the program, argv[2] the folder for the results, argv[3] the fault.
_SCRIPT = """
import os, shutil, subprocess, sys
program, results, fault = sys.argv[1:]
store = os.path.join(results, "run.sqlite")

def mount(*words):
    subprocess.run(["mount", *words, results], check=True)

def resume():
    words = [program, "run", "--resume", store, "--no-report"]
    print("exit code", subprocess.run(words).returncode, flush=True)

shutil.copy(store, "before.sqlite")
room = os.path.getsize(store) // 4096 + 4
mount("-t", "tmpfs", "-o", f"size={room * 4096 if fault == 'full' else '64m'}", "none")
shutil.copy("before.sqlite", store)
if fault == "read-only":
    mount("-o", "remount,ro")
resume()
mount("-o", "remount,rw,size=64m")
shutil.copy(store, "between.sqlite")
resume()
shutil.copy(store, "after.sqlite")
"""


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("full", "{store}: database or disk is full; the trials stored before are kept"),
        ("read-only", "{store} cannot be opened (attempt to write a readonly database)"),
    ],
    ids=["full", "read-only"],
)
def test_what_is_stored_is_kept_and_the_run_goes_on_when_it_can(
    traced_run: Measured, tmp_path: Path, fault: str, told: str
) -> None:
    isolated = need_mounts()
    results = tmp_path / "results"
    results.mkdir()
    traced_run.unfinished_in(results, left=2)
    done = subprocess.run(
        [*isolated, sys.executable, "-c", _SCRIPT, PROGRAM, str(results), fault],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    first, _, second = done.stdout.partition("exit code ")
    assert second[0] in {"2", "3"}, done.stdout
    assert told.format(store=results / "run.sqlite") in first
    with Store.open(tmp_path / "before.sqlite") as before, Store.open(tmp_path / "between.sqlite") as between:
        kept = between.read().trials
        assert [trial.slot.position for trial in kept[:2]] == [0, 1]
        assert kept[:2] == before.read().trials
    with Store.open(tmp_path / "after.sqlite") as after:
        whole = after.read()
    assert whole.trials[: len(kept)] == kept
    assert [trial.slot for trial in whole.trials] == list(whole.header.slots)
