"""Revisions of a git repository: named, compared, and checked out beside each other for as long as needed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.programs.private_folder import is_abandoned
from results.errors import MeasurementError, UsageError
from results.sides import Side, SideRecord

_DEFAULT_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_TIMEOUT_S = 600
#: Set where git itself has started us, in a hook; they would lead to another repository.
_MISLEADING = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


def repository_of(folder: Path) -> Path | None:
    """The top of the working tree that a folder lies in, None outside of one.

    Raises UsageError when there is no git, or when it will not say.
    """
    done = _git(folder, "rev-parse", "--show-toplevel")
    if done.returncode == 0:
        return Path(done.stdout.strip())
    if "not a git repository" in done.stderr:
        return None
    raise UsageError(
        f"git does not say which repository {folder} lies in: {done.stderr.strip()}\n"
        "See to it that `git status` works there"
    )


def sides_of(repository: Path, base: str | None, head: str | None) -> list[SideRecord]:
    """Both sides' commits; head is HEAD unless it is named, and base where head left the default branch.

    Raises UsageError when a revision is not known, or base cannot be told.
    """
    head_commit = _commit(repository, head or "HEAD", "--head")
    if base is None:
        base, base_commit = _left_from(repository, head_commit)
    else:
        base_commit = _commit(repository, base, "--base")
    return [
        SideRecord(Side.BASE, base, base_commit, str(repository)),
        SideRecord(Side.HEAD, head or "HEAD", head_commit, str(repository)),
    ]


def uncommitted(repository: Path) -> int:
    """How many tracked files are not as they were committed: none of that is measured."""
    return len(_must(repository, "status", "--porcelain", "--untracked-files=no").splitlines())


def has_folder(repository: Path, commit: str, folder: Path) -> bool:
    """Whether the commit has this folder, relative to the top."""
    name = folder.as_posix()
    return name == "." or _git(repository, "cat-file", "-e", f"{commit}:{name}/").returncode == 0


@contextlib.contextmanager
def checkouts(sides: Sequence[SideRecord], folder: Path) -> Iterator[Mapping[Side, Path]]:
    """A worktree of each side inside of ``folder`` (`harness.programs.private_folder`); gone with the block.

    What a killed run left behind is removed first. Raises MeasurementError when git cannot make one.
    """
    places = {item.side: folder / item.side for item in sides}
    for repository in {Path(item.repository) for item in sides}:
        remove_left_behind(repository)
    try:
        for item in sides:
            _must(
                Path(item.repository), "-c", "core.hooksPath=/dev/null",
                "worktree", "add", "--detach", "--quiet", str(places[item.side]), item.commit,
            )  # fmt: skip
        yield places
    finally:
        for item in sides:
            _git(Path(item.repository), "worktree", "remove", "--force", str(places[item.side]))
            shutil.rmtree(places[item.side], ignore_errors=True)
            _git(Path(item.repository), "worktree", "prune")


def remove_left_behind(repository: Path) -> None:
    """Remove worktrees of ours whose owner is gone, with the private folders that they lie in."""
    for line in _must(repository, "worktree", "list", "--porcelain").splitlines():
        folder = Path(line.removeprefix("worktree ")).parent
        if line.startswith("worktree ") and is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
    _must(repository, "worktree", "prune")


def _left_from(repository: Path, head: str) -> tuple[str, str]:
    for branch in _DEFAULT_BRANCHES:
        found = _git(repository, "merge-base", branch, head)
        if found.returncode == 0:
            base = found.stdout.strip()
            if base == head:
                raise UsageError(
                    f"head is {head[:12]}, which is on {branch} itself: there is nothing that it left from; "
                    "name the other side, like --base HEAD~1"
                )
            return f"merge-base with {branch}", base
    raise UsageError(
        f"{repository} has none of {', '.join(_DEFAULT_BRANCHES)} with an ancestor of head, from which base "
        "could be told; name it with --base (in a shallow clone, fetch it first: git fetch --unshallow)"
    )


def _commit(repository: Path, revision: str, option: str) -> str:
    found = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found.returncode != 0:
        raise UsageError(
            f"{option} {revision}: {repository} knows no such revision; name a commit, branch or tag of it "
            "(in a shallow clone, fetch it first: git fetch --unshallow)"
        )
    return found.stdout.strip()


def _must(repository: Path, *words: str) -> str:
    done = _git(repository, *words)
    if done.returncode != 0:
        raise MeasurementError(
            f"`git {' '.join(words)}` failed in {repository}: {done.stderr.strip() or 'it did not say why'}; "
            "see to it that git can be used there"
        )
    return done.stdout


def _git(repository: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    environment["LC_ALL"] = "C"  # its words are read, and go into our messages
    try:
        return subprocess.run(
            ["git", "-C", str(repository), *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
    except FileNotFoundError as error:
        raise UsageError("git is not installed, and ab compares two git revisions; install it") from error
    except subprocess.TimeoutExpired as error:
        raise MeasurementError(
            f"`git {' '.join(words)}` took more than {_TIMEOUT_S} s; see what it waits for"
        ) from error
