"""The cases of an ab on each of its sides: the same case, served from another revision's worktree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.environment import ROOT
from harness.sides.revisions import has_folder, repository_of
from harness.suites.matrix import PlannedCase
from results.errors import UsageError
from results.sides import SideRecord


def repository_of_cases(cases: Sequence[PlannedCase]) -> Path:
    """The one repository whose revisions are compared: that of the targets' directories.

    For our own targets it is streamgauge's own checkout. Raises UsageError where there is none, or several.
    """
    found: dict[Path, str] = {}
    for target in {planned.target.name: planned.target for planned in cases}.values():
        if target.url is not None:
            raise UsageError(
                f"ab compares two revisions that it starts itself, and the target {target.name} runs already "
                "(url); name its app or a command instead"
            )
        folder = target.directory or ROOT
        repository = repository_of(folder)
        if repository is None:
            whose = (
                "streamgauge itself is not run from a git checkout, so that its own targets have no revisions"
                if target.directory is None
                else f"its directory {folder} is in no git repository"
            )
            raise UsageError(f"ab compares two git revisions, and the target {target.name} has none: {whose}")
        found[repository] = target.name
    if len(found) > 1:
        places = ", ".join(f"{name} in {repository}" for repository, name in found.items())
        raise UsageError(
            f"ab compares two revisions of one repository, and the targets lie in several: {places}; "
            "keep only one repository's targets in the suite, or name them with --only"
        )
    return next(iter(found))


def check_folders(cases: Sequence[PlannedCase], sides: Sequence[SideRecord]) -> None:
    """That both revisions have the folders that the targets are served from. Raises UsageError."""
    for item in sides:
        repository = Path(item.repository)
        for planned in cases:
            inside = _inside(repository, planned.target.directory or ROOT / "targets")
            if not has_folder(repository, item.commit, inside):
                raise UsageError(
                    f"{item.side} ({item.revision}, {item.commit[:12]}) has no folder {inside}, which the "
                    f"target {planned.target.name} is served from; compare revisions that both have it"
                )


def cases_on(cases: Mapping[str, PlannedCase], item: SideRecord, checkout: Path) -> dict[str, PlannedCase]:
    """The cases by identity, served from this side's checkout."""
    return {identity: _moved(planned, Path(item.repository), checkout) for identity, planned in cases.items()}


def without_own_interpreters(
    cases: Sequence[PlannedCase], sides: Sequence[SideRecord]
) -> Sequence[PlannedCase]:
    """The cases, without an interpreter where each side has its own: the working tree's serves neither."""
    return [
        replace(planned, target=planned.target.model_copy(update={"python": None}))
        if planned.target.python is not None
        and any(_below(Path(item.repository), planned.target.python) is not None for item in sides)
        else planned
        for planned in cases
    ]


def _moved(planned: PlannedCase, repository: Path, checkout: Path) -> PlannedCase:
    """An interpreter inside of the repository is each side's own; one outside serves both."""
    target = planned.target
    if target.directory is None:
        return replace(planned, checkout=checkout / _inside(repository, ROOT))
    changed = {"directory": checkout / _inside(repository, target.directory)}
    if target.python is not None and (own := _below(repository, target.python)) is not None:
        changed["python"] = checkout / own
    return replace(planned, target=target.model_copy(update=changed), checkout=checkout)


def _below(repository: Path, python: Path) -> Path | None:
    """The way to it from the repository's top, None outside.

    Links above the top are followed, those below are not: a link in an environment is what makes it one.
    """
    top = repository.resolve()
    return next((python.relative_to(folder) for folder in python.parents if folder.resolve() == top), None)


def _inside(repository: Path, folder: Path) -> Path:
    return folder.resolve().relative_to(repository.resolve())
