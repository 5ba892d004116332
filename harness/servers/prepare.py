"""Before anything is measured: a suite's ``prepare``, and whether its interpreter can run the server."""

from __future__ import annotations

import importlib.util
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from harness.programs.processes import OwnedProcess, Processes, StartError
from harness.servers.installing import installing
from harness.servers.surroundings import inherited_by
from harness.suites.matrix import PlannedCase
from harness.suites.target import Target
from results.errors import MeasurementError
from results.sides import Preparation, Side
from targets.servers import KINDS

#: An environment may have to be built.
_LONGEST_S = 1800.0
_CHECK_S = 60.0
_KEPT_BYTES = 20_000
_SHOWN_BYTES = 2000


class PrepareFailed(MeasurementError):  # noqa: N818  - named for what happened
    """An app that could not be prepared; its command's own output is in the message.

    ``keys`` are those of the target that decide it, the likeliest first; ``server`` is the kind whose table
    does, null where none does.
    """

    def __init__(self, message: str, *keys: str, server: str | None = None) -> None:
        super().__init__(message)
        self.keys = keys
        self.server = server


def prepare(
    side: Side | None,
    cases: Iterable[PlannedCase],
    processes: Processes,
    folder: Path,
    begin: Callable[[Side | None, Sequence[str]], None],
    record: Callable[[Preparation], None],
) -> None:
    """Run each ``prepare`` of these cases once, in its target's directory.

    ``folder`` is private and made by us; ``begin`` and ``record`` are told of each. Raises PrepareFailed.
    """
    different: dict[object, Target] = {}
    for planned in cases:
        different.setdefault((planned.target.directory, planned.target.prepare), planned.target)
    for target in different.values():
        directory, command = target.directory, target.prepare
        if directory is not None and command:
            name = f"prepare{_on(side)}, {shlex.join(command)} in {directory},"
            begin(side, command)
            process = _ran(name, list(command), target, processes, folder, _LONGEST_S, keys=("prepare",))
            record(Preparation(side, str(directory), command, process.output_tail(_KEPT_BYTES)))


def check_interpreters(
    side: Side | None, cases: Iterable[PlannedCase], processes: Processes, folder: Path
) -> None:
    """That each target's server can be run: by the interpreter that it names, or by ours.

    Raises PrepareFailed with the way to install it.
    """
    different: dict[object, tuple[Target, str]] = {}
    for planned in cases:
        key = planned.target.python, planned.target.directory, planned.server_kind
        different.setdefault(key, (planned.target, planned.server_kind))
    for target, kind in different.values():
        if kind not in KINDS:
            continue  # a command, or what runs already
        package, module = KINDS[kind].DISTRIBUTION, KINDS[kind].MODULE
        python = target.python
        if python is None or target.directory is None:
            if importlib.util.find_spec(module) is None:
                raise PrepareFailed(
                    f"the server {kind} is not installed here; install it with: {installing(package)}",
                    server=kind,
                )
            continue
        if not python.exists():
            made = ("prepare",) if target.prepare else ()
            raise PrepareFailed(
                f"python{_on(side)}: there is no {python}; correct the path, or have prepare make it",
                *("python", *made),
            )
        _ran(
            f"python{_on(side)}, {python}, cannot run the server ({package}); install it there "
            f"({installing(package, python=str(python))}; Python 3.11 or newer): importing it",
            [str(python), "-P", "-c", f"import {module}"],
            target,
            processes,
            folder,
            _CHECK_S,
            keys=("python",),
            server=kind,
        )


def _ran(
    name: str,
    command: list[str],
    target: Target,
    processes: Processes,
    folder: Path,
    longest_s: float,
    *,
    keys: Sequence[str],
    server: str | None = None,
) -> OwnedProcess:
    """The process, which has ended well. Raises PrepareFailed with its own words."""
    assert target.directory is not None  # noqa: S101  - nothing is run for a target without one
    try:
        process = processes.start(
            command, cwd=target.directory, env=inherited_by(target), output=folder / "prepare.log"
        )
    except StartError as error:
        raise PrepareFailed(f"{name} failed: {error}", *keys, server=server) from error
    try:
        code = process.wait(longest_s)
    finally:
        process.stop(0)
    if code != 0:
        how = f"took more than {longest_s:g} s" if code is None else f"ended with code {code}"
        words = process.output_tail(_SHOWN_BYTES).strip() or "(it wrote nothing)"
        lines = "\n".join(f"    {line}" for line in words.splitlines())
        raise PrepareFailed(f"{name} {how}. Its own output:\n{lines}", *keys, server=server)
    return process


def _on(side: Side | None) -> str:
    return "" if side is None else f" on {side}"
