"""Where runs are stored, and how a run is named on the command line."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from harness.cli.typed import typed
from results.errors import UsageError

SUFFIX = ".sqlite"


def results_folder() -> Path:
    """``./results``, or what STREAMGAUGE_RESULTS says (run.sh: ``results/runs`` of its checkout)."""
    return Path(os.environ.get("STREAMGAUGE_RESULTS") or "results")


def new_store_path(suite: str, output: Path | None) -> Path:
    """A free file name for a new run; ``output`` may be a folder or the file itself."""
    if output is not None and output.suffix == SUFFIX:
        return output
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder = output or results_folder()
    path = folder / f"{suite}-{stamp}{SUFFIX}"
    number = 2
    while path.exists():
        path = folder / f"{suite}-{stamp}-{number}{SUFFIX}"
        number += 1
    return path


def find_run(name: str) -> Path:
    """The store that a word means: a path, the name of a run in the results folder, or ``latest``.

    Raises UsageError when there is none.
    """
    folder = results_folder()
    if name == "latest":
        runs = stored_runs()
        if not runs:
            raise UsageError(f"no run is stored in {folder} yet; measure one with `{typed('run')}`")
        return runs[-1]
    for path in (Path(name), folder / name, folder / f"{name}{SUFFIX}"):
        if path.is_file():
            return path
    raise UsageError(f"there is no run {name!r}, neither as a path nor in {folder}; see `{typed('list')}`")


def stored_runs() -> list[Path]:
    """The stores of the results folder, oldest first."""
    return sorted(results_folder().glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)
