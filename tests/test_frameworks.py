"""docs/your-app.md on Django and Starlette: its files, in projects outside of the repository, measured."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from results.errors import ExitCode
from results.run import Run
from results.store import Store
from tests.cli.conftest import once
from tests.cli.spoilt import again_while_spoilt

TEXT = (Path(__file__).parent.parent / "docs" / "your-app.md").read_text("utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A new project's folder, far from ours."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def written(framework: str, folder: Path) -> None:
    """The files that the document has on it; the way is walked, not the distance."""
    found = re.findall(rf"<!-- {framework}: (\S+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL)
    assert len(found) == 2
    for name, content in found:
        quick = content.replace('window = "1s"', 'warmup = "0.1s"\nwindow = "0.2s"')
        (folder / name).write_text(quick, "utf-8")


def measured(folder: Path, suite: str) -> tuple[Run, int]:
    """One block of the suite, without our environment on the PATH: what is nowhere else is found."""
    ours = str(Path(sys.executable).parent)
    path = os.pathsep.join(entry for entry in os.environ["PATH"].split(os.pathsep) if entry != ours)
    words = ("run", suite, "--blocks", "1", "--output", "run.sqlite", "--no-report")
    done = again_while_spoilt(lambda: once(folder, *words, PATH=path), folder)
    assert done.returncode == ExitCode.GOOD, done.stderr
    with Store.open(folder / "run.sqlite") as store:
        run, traces = store.read(), store.traces()
    assert all(trace.reason is None for trace in traces)
    return run, len(traces)


def check(run: Run, target: str) -> None:
    """That the target's whole form and both of its streams were verified, and measured validly."""
    cases = [case for case in run.header.cases if case.parameters["target"] == target]
    assert [case.parameters["form"] for case in cases] == ["whole", "stream", "stream"]
    found = [run.verifications[case.identity] for case in cases]
    assert [item.framing for item in found] == ["length", "chunked", "chunked"]
    assert len({item.digest for item in found}) == 1
    assert [item.chunks for item in found[1:]] == [50, 10]
    identities = {case.identity for case in cases}
    trials = [trial for trial in run.trials if trial.slot.case in identities]
    assert [trial.reason for trial in trials] == [None] * 4
    assert all(trial.figures["ttfb_p50"] and trial.outcomes["verified"] for trial in trials)
    assert all(trial.figures["peak_memory"] is not None for trial in trials)


def test_a_django_project_by_its_app_and_by_a_command(project: Path) -> None:
    startproject = [sys.executable, "-m", "django", "startproject", "mysite", "."]
    subprocess.run(startproject, cwd=project, check=True, timeout=60)
    written("django", project)
    run, traces = measured(project, "django.toml")
    check(run, "orders.csv")
    check(run, "deployed")
    assert traces == 3, "a command is not traced"


def test_a_starlette_app_under_uvicorn(project: Path) -> None:
    written("starlette", project)
    run, traces = measured(project, "stars.toml")
    check(run, "orders.csv")
    assert traces == 0
