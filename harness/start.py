"""The console script's entry: makes sure that our packages are ours before anything is imported."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> int:
    """Run the command line; returns its exit code."""
    _forget_python_path()
    from harness.cli import main as run  # noqa: PLC0415  - only now does `results` mean ours

    return run()


def _forget_python_path() -> None:
    """Take PYTHONPATH's folders off the module path, but for the one that we came from.

    With ``PYTHONPATH=.``, as many set it, a user's own ``targets/`` or ``results/`` would be imported in
    place of ours. The user's app still gets the variable.
    """
    root = str(Path(__file__).resolve().parent.parent)
    foreign = {os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep)}  # noqa: PTH100
    sys.path[:] = [entry for entry in sys.path if entry == root or os.path.abspath(entry) not in foreign]  # noqa: PTH100
