"""Live progress: a bar on a terminal, a line a trial elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from analysis.summary import labels
from analysis.table import amount
from analysis.trial.tracing import delivery
from harness.matrix import PlannedCase
from harness.plan import Plan
from results.metrics import FIGURES, Unit
from results.records import Slot, TrialRecord, Verification
from results.trace import Trace

_HEADLINE = ("ttfb_p50", "throughput", "peak_memory")


class _Told:
    """What both kinds of watcher say, and how they reckon the time that is left."""

    def __init__(self, console: Console, plan: Plan, done: int) -> None:
        self._console = console
        self._total = len(plan.slots)
        self._labels = labels([planned.case for planned in plan.cases])
        self._left_s = (self._total - done) * plan.expected_s / max(self._total, 1)
        self._tracing_s = plan.tracing_s
        self._done = done
        self._measured = 0
        self._started_s = 0.0

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""

    def verified(self, planned: PlannedCase, found: Verification) -> None:
        """A case that is meant to fail is shown; the others are counted."""
        if planned.case.expect_failure:
            how = found.failure or f"status {found.status}"
            self._console.print(
                f"fails as expected: {self._labels[planned.case.identity]}: {how}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )

    def _count(self) -> None:
        """One more trial is done; the time left follows from the trials so far."""
        self._done += 1
        self._measured += 1
        passed_s = time.monotonic() - self._started_s
        self._left_s = passed_s / self._measured * (self._total - self._done)

    def _begin(self) -> None:
        if not self._started_s:
            self._started_s = time.monotonic()

    def _name(self, slot: Slot) -> str:
        return self._labels[slot.case] + (" (again)" if slot.control else "")

    def _left(self) -> str:
        minutes, seconds = divmod(round(self._left_s + self._tracing_s), 60)
        return f"{minutes}:{seconds:02d} left"

    def _headline(self, trial: TrialRecord) -> str:
        if trial.reason is not None:
            return f"INVALID: {trial.reason}"
        parts = [amount(trial.figures[name], FIGURES[name].unit) for name in _HEADLINE]
        return "TTFB {}, {}, {} of memory".format(*parts)

    def _trace_headline(self, planned: PlannedCase, trace: Trace) -> str:
        """A traced trial that failed takes nothing away from the timed ones."""
        name = self._labels[planned.case.identity]
        if trace.reason is not None:
            return f"not traced: {name}: {trace.reason} (its timed trials are not concerned)"
        lag = amount(trace.figures["delivery_lag_p50"], Unit.NANOSECONDS)
        return f"traced: {name}: {delivery(trace.figures) or trace.note or 'one chunk'}, delivery lag {lag}"


class LineWatcher(_Told):
    """For pipes and logs: one plain line for each trial."""

    def __enter__(self) -> Self:
        return self

    def verifying(self, cases: int) -> None:
        """Say how many cases are asked."""
        self._print(f"verifying {cases} cases, then measuring {self._total} trials ({self._left()})")

    def calibrating(self, users: Sequence[int]) -> None:
        """Say that the client's own error is measured."""
        self._print(f"calibrating the client with {_counted(users)}")

    def measuring(self, slot: Slot, planned: PlannedCase) -> None:  # noqa: ARG002
        """Nothing is printed before there is a figure."""
        self._begin()

    def measured(self, slot: Slot, planned: PlannedCase, trial: TrialRecord) -> None:  # noqa: ARG002
        """Print the trial's headline."""
        self._count()
        self._print(
            f"[{self._done}/{self._total}] block {slot.block + 1}, {self._name(slot)}: "
            f"{self._headline(trial)} ({self._left()})"
        )

    def tracing(self, planned: PlannedCase) -> None:
        """Nothing is printed before there is a trace."""

    def traced(self, planned: PlannedCase, trace: Trace) -> None:
        """Print how the case's chunks were delivered, or why that cannot be told."""
        self._print(self._trace_headline(planned, trace))

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class BarWatcher(_Told):
    """For terminals: a bar with done, remaining, time left, and the last trial's headline."""

    def __init__(self, console: Console, plan: Plan, done: int) -> None:
        super().__init__(console, plan, done)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[last]}", style="dim", markup=False),
            console=console,
            # A bar that is drawn often takes time from the load; figures come once a trial anyway.
            refresh_per_second=2,
        )
        self._bar = self._progress.add_task("starting", total=self._total, completed=done, left="", last="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def verifying(self, cases: int) -> None:
        """Show that cases are being asked."""
        self._progress.update(self._bar, description=f"verifying {cases} cases", left=self._left())

    def calibrating(self, users: Sequence[int]) -> None:
        """Show that the client's own error is measured."""
        text = f"calibrating the client with {_counted(users)}"
        self._progress.update(self._bar, description=text, left=self._left())

    def measuring(self, slot: Slot, planned: PlannedCase) -> None:  # noqa: ARG002
        """Show what is being measured."""
        self._begin()
        self._progress.update(self._bar, description=escape(self._name(slot)), left=self._left())

    def measured(self, slot: Slot, planned: PlannedCase, trial: TrialRecord) -> None:  # noqa: ARG002
        """Show the trial's headline; a failure stays on the screen."""
        self._count()
        text = f"{self._name(slot)}: {self._headline(trial)}"
        if trial.reason is not None:
            self._progress.console.print(text, markup=False, highlight=False)
        self._progress.update(self._bar, completed=self._done, left=self._left(), last=text)

    def tracing(self, planned: PlannedCase) -> None:
        """Show what is being traced."""
        name = escape(self._labels[planned.case.identity])
        self._progress.update(self._bar, description=f"tracing {name}", left="")

    def traced(self, planned: PlannedCase, trace: Trace) -> None:
        """Show how the case's chunks were delivered; a failure stays on the screen."""
        text = self._trace_headline(planned, trace)
        if trace.reason is not None:
            self._progress.console.print(text, markup=False, highlight=False)
        self._progress.update(self._bar, last=text)


def _counted(users: Sequence[int]) -> str:
    return f"{' and '.join(str(number) for number in users)} user{'s' if users[-1] > 1 else ''}"


def new_watcher(console: Console, plan: Plan, *, done: int) -> LineWatcher | BarWatcher:
    """A bar on a terminal, lines elsewhere; ``done`` trials are in the store already."""
    return (BarWatcher if console.is_terminal else LineWatcher)(console, plan, done)
