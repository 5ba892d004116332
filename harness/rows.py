"""Loads the flights before anything is measured, when a suite asks for the apps that serve them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.progress import Progress

from harness.suites.matrix import PlannedCase
from results.errors import MeasurementError
from targets.flights import FlightsError, ensure_loaded


def load_rows(cases: Sequence[PlannedCase], console: Console) -> None:
    """Load the flights into the user's cache, with progress, unless they are there or not needed.

    Raises MeasurementError when the cache cannot be written.
    """
    ours = [
        case for case in cases if case.target.directory is None and case.target.served.startswith("targets.")
    ]
    if not ours:
        return
    try:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("Loading the flights (once)", total=None, visible=False)
            ensure_loaded(
                lambda done, total: progress.update(task, completed=done, total=total, visible=True)
            )
    except FlightsError as error:
        raise MeasurementError(str(error)) from error
