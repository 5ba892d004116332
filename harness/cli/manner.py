"""How `run` speaks: to people, of problems only, or to programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from analysis.verdicts.verdict import GatedCase, NotJudged
from harness.cli.ab_outcome import AbEnding, show_ab_outcome, tell_ab_problems, write_ab_document
from harness.cli.outcome import show_outcome, tell_problems, write_document
from results.errors import ExitCode, UsageError
from results.run import Run

Ending = Callable[[Run, Sequence[GatedCase], Sequence[NotJudged], Path], ExitCode]


class ProgressConsole(Console):
    """Where progress goes. A measurement does not end because nobody reads on."""

    def on_broken_pipe(self) -> None:
        """Say nothing more."""
        self.quiet = True


@dataclass(frozen=True, slots=True)
class Manner:
    """Where the progress goes, and how the run's end is told."""

    console: Console
    end: Ending
    end_ab: AbEnding


def manner_of(*, quiet: bool, as_json: bool) -> Manner:
    """The one that was asked for. Raises UsageError where two were."""
    if quiet and as_json:
        raise UsageError("--quiet and --json are two ways to tell the end of a run; leave one out")
    if quiet:
        return Manner(ProgressConsole(stderr=True, quiet=True), tell_problems, tell_ab_problems)
    if as_json:
        return Manner(ProgressConsole(stderr=True), write_document, write_ab_document)
    console = ProgressConsole(stderr=not sys.stdout.isatty() and sys.stderr.isatty())
    return Manner(console, show_outcome, show_ab_outcome)
