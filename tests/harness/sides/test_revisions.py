"""Revisions: how they are named, what is refused, and that no worktree is left behind."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness.sides.revisions import checkouts, repository_of, sides_of, uncommitted
from harness.sides.sides import (
    cases_on,
    check_folders,
    repository_of_cases,
    without_own_interpreters,
)
from harness.suites.file import load_suite
from harness.suites.matrix import PlannedCase, cases_of
from results.errors import ExitCode, MeasurementError, UsageError
from results.sides import Side, SideRecord
from tests.revisions import SUITE, Repository, working


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.made_in(tmp_path / "shop")


def cases(repository: Repository, suite: str = SUITE) -> list[PlannedCase]:
    (repository.path / "suite.toml").write_text(suite)
    return cases_of(load_suite(str(repository.path / "suite.toml")))


def test_a_folder_belongs_to_the_repository_around_it(repository: Repository, tmp_path: Path) -> None:
    repository.commit(working(1))
    assert repository_of(repository.path / "app") == repository.path
    assert repository_of(tmp_path) is None


def test_a_repository_that_git_will_not_read_is_told_in_its_words(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit(working(1))
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(UsageError, match=r"git does not say .*: fatal: (?s:.*)safe\.directory") as told:
        repository_of_cases(cases(repository))
    assert told.value.exit_code is ExitCode.USAGE


def test_revisions_are_commits_branches_and_tags(repository: Repository) -> None:
    first = repository.commit(working(1))
    repository.git("tag", "v1")
    second = repository.commit(working(2))
    sides = sides_of(repository.path, "v1", None)
    assert [(item.side, item.revision, item.commit) for item in sides] == [
        (Side.BASE, "v1", first),
        (Side.HEAD, "HEAD", second),
    ]
    assert sides_of(repository.path, second[:9], "main~1")[1].commit == first


def test_base_is_where_head_left_the_default_branch(repository: Repository) -> None:
    left = repository.commit(working(1))
    repository.git("checkout", "--quiet", "-b", "topic")
    head = repository.commit(working(2))
    repository.git("checkout", "--quiet", "main")
    repository.commit(working(3))
    repository.git("checkout", "--quiet", "topic")
    base, of = sides_of(repository.path, None, None)
    assert (base.commit, of.commit) == (left, head)
    assert base.revision == "merge-base with main"


def test_on_the_default_branch_base_must_be_named(repository: Repository) -> None:
    repository.commit(working(1))
    with pytest.raises(UsageError, match=r"on main itself.*--base HEAD~1"):
        sides_of(repository.path, None, None)
    repository.git("branch", "--move", "odd")
    with pytest.raises(UsageError, match=r"name it with --base"):
        sides_of(repository.path, None, None)


@pytest.mark.parametrize("revision", ["nothing", "HEAD~9", "--all", "main..main", "HEAD:app", ""])
def test_an_unknown_revision_is_told(repository: Repository, revision: str) -> None:
    repository.commit(working(1))
    for base, head in ((revision, None), ("HEAD", revision or "@{5}")):
        with pytest.raises(UsageError, match=r"no such revision.*name a commit, branch or tag"):
            sides_of(repository.path, base, head)


def test_changes_that_are_not_committed_are_counted(repository: Repository) -> None:
    repository.commit(working(1))
    assert uncommitted(repository.path) == 0
    (repository.path / "app" / "shop.py").write_text("changed")
    (repository.path / "notes.txt").write_text("not git's")
    assert uncommitted(repository.path) == 1


def test_each_side_is_checked_out_and_gone_afterwards(repository: Repository, tmp_path: Path) -> None:
    repository.commit(working(1))
    repository.commit(working(2))
    folder = tmp_path / "streamgauge-x"
    folder.mkdir()
    with checkouts(sides_of(repository.path, "HEAD~1", None), folder) as places:
        assert "range(1))" in (places[Side.BASE] / "app" / "shop.py").read_text()
        assert "range(2))" in (places[Side.HEAD] / "app" / "shop.py").read_text()
        assert len(repository.worktrees()) == 2
    assert repository.worktrees() == []
    assert not any(place.exists() for place in places.values())


def test_a_block_that_fails_leaves_no_worktree_either(repository: Repository, tmp_path: Path) -> None:
    commit = repository.commit(working(1))
    sides = [*sides_of(repository.path, "HEAD", None)]
    with pytest.raises(KeyboardInterrupt), checkouts(sides, tmp_path):
        raise KeyboardInterrupt
    assert repository.worktrees() == []
    broken = SideRecord(Side.HEAD, "gone", commit[::-1], str(repository.path))
    with (
        pytest.raises(MeasurementError, match=r"worktree add .* failed"),
        checkouts([sides[0], broken], tmp_path),
    ):
        pytest.fail("there is no such commit")
    assert repository.worktrees() == []


def test_the_repository_s_hooks_are_not_run(repository: Repository, tmp_path: Path) -> None:
    repository.commit(working(1))
    hook = repository.path / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n")
    hook.chmod(0o755)
    with checkouts(sides_of(repository.path, "HEAD", None), tmp_path):
        assert not (tmp_path / "hooked").exists()


def test_what_a_killed_run_left_behind_is_removed_and_a_living_one_s_is_not(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit(working(1))
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from harness.programs.private_folder import private_folder\n"
        "from harness.sides.revisions import checkouts, sides_of\n"
        "with private_folder() as folder:\n"
        "    with checkouts(sides_of(Path(sys.argv[1]), 'HEAD', None), folder):\n"
        "        print(folder, flush=True)\n"
        "        time.sleep(100)\n"
    )
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    owners = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(repository.path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        killed, living = [Path(owner.stdout.readline().rstrip("\n")) for owner in owners if owner.stdout]
        owners[0].kill()
        owners[0].wait(timeout=30)
        mine = tmp_path / "mine"
        mine.mkdir()
        with checkouts(sides_of(repository.path, "HEAD", None), mine):
            assert not killed.exists()
            assert (living / "head" / "app").is_dir()
            assert len(repository.worktrees()) == 4
    finally:
        for owner in owners:
            owner.kill()
            owner.communicate(timeout=30)


def test_a_case_is_served_from_its_side_s_worktree(repository: Repository, tmp_path: Path) -> None:
    repository.commit(working(1))
    suite = SUITE.replace('directory = "app"', 'directory = "app"\npython = "{}"')
    side = SideRecord(Side.HEAD, "HEAD", "c", str(repository.path))
    for python, there in (
        ("app/.venv/bin/python", tmp_path / "head/app/.venv/bin/python"),
        (sys.executable, Path(sys.executable)),
    ):
        planned = {item.case.identity: item for item in cases(repository, suite.format(python))}
        moved = cases_on(planned, side, tmp_path / "head")
        assert moved.keys() == planned.keys()
        for item in moved.values():
            assert item.target.directory == tmp_path / "head" / "app"
            assert item.target.python == there
        # what the working tree's interpreter has is told of neither side
        shared = {item.target.python for item in without_own_interpreters([*planned.values()], [side])}
        assert shared == ({None} if python.startswith("app/") else {there})


def test_an_interpreter_is_its_side_s_own_whatever_links_lead_to_the_repository(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit(working(1))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "shop").symlink_to(repository.path)
    (repository.path / "env").symlink_to(tmp_path / "elsewhere")
    side = SideRecord(Side.HEAD, "HEAD", "c", str(repository.path))
    for python in (tmp_path / "elsewhere" / "shop" / "env" / "python", repository.path / "env" / "python"):
        suite = SUITE.replace('directory = "app"', f'directory = "app"\npython = "{python}"')
        planned = {item.case.identity: item for item in cases(repository, suite)}
        for item in cases_on(planned, side, tmp_path / "head").values():
            assert item.target.python == tmp_path / "head" / "env" / "python"


def test_a_revision_without_the_folder_is_refused(repository: Repository) -> None:
    repository.commit({"readme": "nothing yet"})
    repository.commit(working(1))
    found = cases(repository)
    check_folders(found, sides_of(repository.path, "HEAD", None))
    with pytest.raises(
        UsageError, match=r"base \(HEAD~1, \w{12}\) has no folder app, .* target orders"
    ) as told:
        check_folders(found, sides_of(repository.path, "HEAD~1", None))
    assert told.value.exit_code is ExitCode.USAGE


def test_targets_outside_of_a_repository_or_in_several_are_refused(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit(working(1))
    assert repository_of_cases(cases(repository)) == repository.path
    (tmp_path / "loose").mkdir()
    with pytest.raises(UsageError, match=r"loose is in no git repository"):
        repository_of_cases(cases(repository, SUITE.replace('"app"', '"../loose"')))
    Repository.made_in(tmp_path / "other").commit(working(1))
    target = SUITE[SUITE.index("[[target]]") : SUITE.index("[[server]]")]
    second = target.replace('"orders"', '"others"').replace('"app"', '"../other/app"')
    with pytest.raises(UsageError, match=r"orders in .*shop, others in .*other"):
        repository_of_cases(cases(repository, SUITE.replace(target, target + second)))
