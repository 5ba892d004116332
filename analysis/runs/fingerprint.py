"""What must be the same for two measurements to be alike, and the commit whose code was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.exports.printable import printable
from analysis.load_side import LOAD_PROCESSES, counted
from results.workers import Worker

#: Of each target's own interpreter, where there was one when the run began: `prepare` may have made it since.
_TARGET_PACKAGES = "target_packages"
#: The parts of an environment record that tell machines and programs apart.
_PARTS = (
    "cpu",
    "cpu_count",
    "memory_bytes",
    "transparent_hugepages",
    "kernel",
    "c_library",
    "python",
    "sqlite",
    "packages",
    _TARGET_PACKAGES,
    "allocation_variables",
    "cores",
    "web_ui",
    "remote_targets",
    LOAD_PROCESSES,
)
_SHORT = 9


@dataclass(frozen=True, slots=True)
class Commit:
    """``committed_utc`` is null in stores that do not know it; ``dirty``: with changes on top of it."""

    commit: str
    committed_utc: str | None
    dirty: bool

    def __str__(self) -> str:
        """As people read it: shortened, a star for dirty."""
        return self.commit[:_SHORT] + ("*" if self.dirty else "")


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """How an environment record (JSON values) differs from an earlier one, a phrase each; none when alike."""
    found = []
    for name in changed_parts(before, after):
        was, now = _part(name, before, after), _part(name, after, before)
        if name == LOAD_PROCESSES:
            found.append(f"the load was made by {_makers(was)} and is made by {_makers(now)}")
        elif isinstance(was, dict) and isinstance(now, dict):
            found += [
                f"{name}: {key} was {was.get(key)} and is {now.get(key)}"
                for key in sorted({*was, *now})
                if was.get(key) != now.get(key)
            ]
        else:
            found.append(f"{name} was {was} and is {now}")
    return found


def _makers(told: object) -> str:
    if not isinstance(told, dict):
        return "the run's own driver"
    return " and ".join(
        f"{counted(count, 'load process')} {'here' if where == 'here' else 'that joined'}"
        for where, count in told.items()
    )


def changed_workers(before: Sequence[Worker], after: Sequence[Worker]) -> list[str]:
    """How the machines differ that made the load, a phrase each; none where one run has no workers."""
    if not before or not after:
        return []
    return [
        f"{what} of the load's machines was {_all(was)} and is {_all(now)}"
        for what in ("cpu", "system")
        for was, now in [[sorted({getattr(item, what) for item in workers}) for workers in (before, after)]]
        if was != now
    ]


def _all(names: Sequence[str]) -> str:
    return " and ".join(map(printable, names))


def changed_parts(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The names of the parts that differ."""
    return [name for name in _PARTS if _part(name, before, after) != _part(name, after, before)]


def _part(name: str, environment: Mapping[str, Any], other: Mapping[str, Any]) -> Any:
    """A part as it is to be compared: of a target whose interpreter only one of the two knows, nothing is."""
    part = environment.get(name)
    if name != _TARGET_PACKAGES:
        return part
    known = other.get(name) or {}
    return {
        package: version
        for package, version in (part or {}).items()
        if f"{package.rpartition(' ')[0]} python" in known
    }


def measured_commit(environment: Mapping[str, Any]) -> Commit | None:
    """The commit of the app: of the suite's folder, or of streamgauge where the suite is a built-in one."""
    state = environment.get("git" if brings_its_app(environment) else "suite_git")
    if not state:
        return None
    return Commit(state["commit"], state.get("committed_utc"), state["dirty"])


def brings_its_app(environment: Mapping[str, Any]) -> bool:
    """Whether what was measured came with streamgauge: its own commit is then the one under test."""
    return environment.get("suite_folder") is None
