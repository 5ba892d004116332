"""Before anything is measured: a suite's ``prepare``, and whether its interpreter can run the server."""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from harness.matrix import PlannedCase
from harness.processes import OwnedProcess, Processes, StartError
from results.errors import MeasurementError
from results.sides import Preparation, Side
from targets.servers import KINDS

#: An environment may have to be built.
_LONGEST_S = 1800.0
_CHECK_S = 60.0
_KEPT_BYTES = 20_000
_SHOWN_BYTES = 2000


class PrepareFailed(MeasurementError):  # noqa: N818  - named for what happened
    """An app that could not be prepared; its command's own output is in the message."""


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
    for directory, command in dict.fromkeys(
        (planned.target.directory, planned.target.prepare) for planned in cases
    ):
        if directory is not None and command:
            name = f"prepare{_on(side)}, {shlex.join(command)} in {directory},"
            begin(side, command)
            process = _ran(name, list(command), directory, processes, folder, _LONGEST_S)
            record(Preparation(side, str(directory), command, process.output_tail(_KEPT_BYTES)))


def check_interpreters(
    side: Side | None, cases: Iterable[PlannedCase], processes: Processes, folder: Path
) -> None:
    """That each target's server can be run: by the interpreter that it names, or by ours.

    Raises PrepareFailed with the way to install it.
    """
    for python, directory, kind in dict.fromkeys(
        (planned.target.python, planned.target.directory, planned.server_kind) for planned in cases
    ):
        if kind not in KINDS:
            continue  # a command, or what runs already
        package, module = KINDS[kind].DISTRIBUTION, KINDS[kind].MODULE
        if python is None or directory is None:
            if importlib.util.find_spec(module) is None:
                raise PrepareFailed(
                    f"the server {kind} is not installed here; install it with: {install_command(package)}"
                )
            continue
        if not python.exists():
            raise PrepareFailed(
                f"python{_on(side)}: there is no {python}; correct the path, or have prepare make it"
            )
        _ran(
            f"python{_on(side)}, {python}, cannot run the server ({package}); install it there "
            f"({python} -m pip install {package}; Python 3.11 or newer): importing it",
            [str(python), "-P", "-c", f"import {module}"],
            directory,
            processes,
            folder,
            _CHECK_S,
        )


def install_command(*packages: str) -> str:
    """What to type so that our own interpreter has them."""
    return shlex.join([sys.executable, "-m", "pip", "install", *packages])


def _ran(
    name: str, command: list[str], directory: Path, processes: Processes, folder: Path, longest_s: float
) -> OwnedProcess:
    """The process, which has ended well. Raises PrepareFailed with its own words."""
    try:
        process = processes.start(command, cwd=directory, env=dict(os.environ), output=folder / "prepare.log")
    except StartError as error:
        raise PrepareFailed(f"{name} failed: {error}") from error
    try:
        code = process.wait(longest_s)
    finally:
        process.stop(0)
    if code != 0:
        how = f"took more than {longest_s:g} s" if code is None else f"ended with code {code}"
        words = process.output_tail(_SHOWN_BYTES).strip() or "(it wrote nothing)"
        lines = "\n".join(f"    {line}" for line in words.splitlines())
        raise PrepareFailed(f"{name} {how}. Its own output:\n{lines}")
    return process


def _on(side: Side | None) -> str:
    return "" if side is None else f" on {side}"
