"""The steps of action.yml with two revisions: `ab` in place of `run`."""

from __future__ import annotations

from pathlib import Path

from junitparser import JUnitXml

from tests.cli.test_ab import QUICK, quick, shop
from tests.revisions import SUITE
from tests.test_action import Runner


def test_two_revisions_are_measured_and_told(tmp_path: Path) -> None:
    repository = shop(tmp_path, QUICK, suite=quick(SUITE))
    head = repository.commit({"readme": "the same app"})
    runner = Runner(
        tmp_path,
        {"suite": "suite.toml", "working-directory": "shop", "base": "HEAD~1", "arguments": "--seed\n7\n"},
    )
    runner.run()
    assert runner.code == 0
    assert "head against base: no gate" in runner.summary
    assert head[:12] in runner.summary
    (folder,) = (tmp_path / "temp").iterdir()
    assert {path.name for path in folder.iterdir()} == {
        "run.sqlite", "run.html", "findings.json", "junit.xml", "summary.md",
    }  # fmt: skip
    assert JUnitXml.fromfile(str(folder / "junit.xml")).failures == 0
    assert repository.worktrees() == []
