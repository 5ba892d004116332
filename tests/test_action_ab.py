"""The steps of action.yml with two revisions: `ab` in place of `run`."""

from __future__ import annotations

import shutil
from pathlib import Path

from junitparser import JUnitXml

from tests.cli.spoilt import again_while_spoilt
from tests.cli.test_ab import QUICK, quick, shop
from tests.revisions import SUITE
from tests.test_action import Runner


def test_two_revisions_are_measured_and_told(tmp_path: Path) -> None:
    repository = shop(tmp_path, QUICK, suite=quick(SUITE))
    head = repository.commit({"readme": "the same app"})
    inputs = {
        "suite": "suite.toml",
        "working-directory": "shop",
        "base": "HEAD~1",
        "arguments": "--seed\n7\n",
    }

    def run() -> Runner:
        shutil.rmtree(tmp_path / "temp", ignore_errors=True)
        (tmp_path / "summary").unlink(missing_ok=True)
        runner = Runner(tmp_path, inputs)
        runner.run()
        return runner

    runner = again_while_spoilt(run, tmp_path)
    assert runner.code == 0
    assert "head against base: no gate" in runner.summary
    assert head[:12] in runner.summary
    (folder,) = (tmp_path / "temp").iterdir()
    assert {path.name for path in folder.iterdir()} == {
        "run.sqlite", "run.html", "findings.json", "junit.xml", "summary.md",
    }  # fmt: skip
    assert JUnitXml.fromfile(str(folder / "junit.xml")).failures == 0
    assert repository.worktrees() == []
