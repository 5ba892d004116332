"""The console script's entry: makes sure that our packages are ours before anything is imported.

At the top level and under a name that nobody else has: ``harness`` itself might be somebody else's.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> int:
    """Run the command line; returns its exit code."""
    _forget_python_path()
    from harness.cli import main as run  # noqa: PLC0415  - only now does `harness` mean ours

    return run()


def _forget_python_path() -> None:
    """Take PYTHONPATH's folders off the module path, but for the one that we came from.

    With ``PYTHONPATH=.``, as many set it, a user's own ``targets/`` or ``results/`` would be imported in
    place of ours. The user's app still gets the variable.
    """
    root = str(Path(__file__).resolve().parent)
    variable = os.environ.get("PYTHONPATH", "")
    foreign = {os.path.realpath(entry) for entry in variable.split(os.pathsep)} if variable else set()
    sys.path[:] = [entry for entry in sys.path if entry == root or os.path.realpath(entry) not in foreign]
