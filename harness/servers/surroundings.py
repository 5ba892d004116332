"""What a program that is not ours inherits: the user's variables, and a PATH that leads to its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from harness.suites.target import Target

_OUR_PREFIX = "STREAMGAUGE_"


def inherited_by(target: Target) -> dict[str, str]:
    """The variables that the target's server, its ``prepare`` and all that looks at its app begin with.

    None of ours is there: an app of somebody's own has no reason to know that it is measured. What is
    started by its name, like ``python``, is the one beside the interpreter that runs the app, as in an
    environment that is activated: the target's ``python``, and then our folder is nowhere in PATH, or
    else ours. A ``command`` finds what the user's shell finds, and behind all of that what only we have.
    """
    variables = {name: value for name, value in os.environ.items() if not name.startswith(_OUR_PREFIX)}
    ours = Path(sys.executable).parent
    users = [entry for entry in _search_path() if not _is_ours(entry, ours)]
    if target.python is not None:
        folders = [str(target.python.parent), *users]
    elif target.app is not None:
        folders = [str(ours), *users]
    else:
        folders = [*users, str(ours)]
    runs_in_ours = target.python is None and target.app is not None
    if not runs_in_ours and _is_ours(variables.get("VIRTUAL_ENV", ""), Path(sys.prefix)):
        del variables["VIRTUAL_ENV"]
    return variables | {"PATH": os.pathsep.join(folders)}


def _search_path() -> list[str]:
    return os.environ.get("PATH", os.defpath).split(os.pathsep)


def _is_ours(folder: str, own: Path) -> bool:
    """Whether it is this folder of the virtual environment that we run in; a system's own is nobody's."""
    return sys.prefix != sys.base_prefix and bool(folder) and Path(folder).resolve() == own.resolve()
