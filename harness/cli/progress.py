"""Progress in words: what every watcher says, and the one for pipes and logs, a line a trial."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Sequence
from typing import Self

from rich.console import Console

from analysis.exports.printable import printable, printable_lines
from analysis.hang_ups import trace_in_words
from analysis.summary import labels
from analysis.table import amount, amount_of
from analysis.trial.tracing import delivery
from harness.cli.crew import told_how_to_join
from harness.cli.prose import say
from harness.loading.crew import PATIENCE_S, Crew
from harness.suites.matrix import PlannedCase
from harness.suites.plan import Plan
from results.faults import Fault
from results.metrics import Unit
from results.records import Slot, TrialRecord, Verification
from results.sides import Side
from results.trace import Trace
from results.workers import Worker
from scenarios.specification import authority_of

_HEADLINE = {
    "ttfb_p50": "TTFB {}",
    "throughput": "{}",
    "peak_memory": "{} of memory",
    "others_ttlb_p50": "others wait {}",
    "others_alone_ttlb_p50": "alone {}",
}


class Told:
    """What both kinds of watcher say, and how they reckon the time that is left."""

    def __init__(self, console: Console, plan: Plan, done: int) -> None:
        self._console = console
        self._total = len(plan.slots)
        self._labels = labels([planned.case for planned in plan.cases])
        self._left_s = (self._total - done) * plan.expected_s / max(self._total, 1)
        self._tracing_s = plan.tracing_s
        self._traced_s = plan.tracing_s / max(sum(not item.case.expect_failure for item in plan.cases), 1)
        self._done = done
        self._measured = 0
        self._started_s = 0.0

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""

    def verified(self, planned: PlannedCase, found: Verification) -> None:
        """A case that is meant to fail is shown; the others are counted."""
        if planned.case.expect_failure:
            how = found.failure or f"status {found.status}"
            self._print(f"fails as expected: {self._labels[planned.case.identity]}: {printable(how)}")

    def repeated(self, slot: Slot, trial: TrialRecord) -> None:
        """Say that a trial is measured once more, which makes one more."""
        self._extend(1)
        lost = trial.fault is Fault.WORKER_LOST  # why is said already, with its headline
        wait = f"; a worker that is gone is waited for, {PATIENCE_S:g} s at most" if lost else ""
        self._print(f"{self._name(slot)}: measured once more{wait}")

    def mustering(self, crew: Crew) -> None:
        """Say how the others get in; processes of our own need nobody's help."""
        if crew.is_elsewhere:
            self._print(
                f"waiting for {crew.expected} worker{'s' if crew.expected > 1 else ''} at "
                f"{authority_of(crew.host, crew.port)}; {told_how_to_join(crew)}"
            )

    def joined(self, worker: Worker) -> None:
        """Say who is there."""
        self._print(f"worker {worker.number} has joined: {printable(worker.name)}")

    def left(self, workers: int | None) -> None:
        """Say that some are gone, or back."""
        if workers is None:
            self._print("all workers are there again")
        else:
            self._print(
                f"{workers} worker{' is' if workers == 1 else 's are'} left, and the run goes on with "
                f"{'it' if workers == 1 else 'them'}: the load of a trial is shared by fewer"
            )

    def doubted(self, sentence: str) -> None:
        """Say it on standard error, also when nothing is told of the progress."""
        with contextlib.suppress(OSError):  # as for the progress
            say(printable(sentence), err=True)

    def _print(self, text: str) -> None:
        """A line that stays. A measurement does not end because its progress cannot be written."""
        try:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)
        except OSError:
            self._console.quiet = True

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
        side = f", {slot.side}" if slot.side is not None else ""
        return f"{self._labels[slot.case]}{' (again)' if slot.control else ''}{side}"

    def _extend(self, slots: int) -> None:
        """The time left follows from the trials so far."""
        self._total += slots
        passed_s = time.monotonic() - self._started_s
        self._left_s += passed_s / max(self._measured, 1) * slots

    def _left(self) -> str:
        minutes, seconds = divmod(round(self._left_s + self._tracing_s), 60)
        return f"{minutes}:{seconds:02d} left"

    def _headline(self, planned: PlannedCase, trial: TrialRecord) -> str:
        if trial.reason is not None:
            return f"INVALID: {printable(trial.reason)}"
        return ", ".join(
            said.format(amount_of(name, value, planned.case))
            for name, said in _HEADLINE.items()
            if (value := trial.figures.get(name)) is not None
        )

    def _count_trace(self) -> None:
        self._tracing_s = max(self._tracing_s - self._traced_s, 0.0)

    def _trace_headline(self, planned: PlannedCase, trace: Trace) -> str:
        """A traced trial that failed takes nothing away from the timed ones."""
        name = self._labels[planned.case.identity]
        if trace.reason is not None:
            why = printable_lines(trace.reason)
            return f"not traced: {name}: {why} (its timed trials are not concerned)"
        if trace.figures.get("hung_up") is not None:
            return f"traced: {name}: {trace_in_words(trace.figures)}"
        lag = amount(trace.figures["delivery_lag_p50"], Unit.NANOSECONDS)
        return f"traced: {name}: {delivery(trace.figures) or trace.note or 'one chunk'}, delivery lag {lag}"


class LineWatcher(Told):
    """For pipes and logs: one plain line for each trial."""

    def __enter__(self) -> Self:
        return self

    def preparing(self, side: Side | None, command: Sequence[str]) -> None:
        """Say what is run."""
        self._print(told_preparing(side, command))

    def extended(self, slots: int, why: str) -> None:
        """Say how many trials more, and why."""
        self._extend(slots)
        self._print(f"{slots} more trials: {why}")

    def verifying(self, cases: int) -> None:
        """Say how many cases are asked."""
        self._print(f"verifying {cases} cases, then measuring {self._total} trials ({self._left()})")

    def calibrating(self, users: Sequence[int]) -> None:
        """Say that the client's own error is measured."""
        self._print(f"calibrating the client with {counted(users)}")

    def measuring(self, slot: Slot, planned: PlannedCase) -> None:  # noqa: ARG002
        """Nothing is printed before there is a figure."""
        self._begin()

    def measured(self, slot: Slot, planned: PlannedCase, trial: TrialRecord) -> None:
        """Print the trial's headline."""
        self._count()
        self._print(
            f"[{self._done}/{self._total}] block {slot.block + 1}, {self._name(slot)}: "
            f"{self._headline(planned, trial)} ({self._left()})"
        )

    def tracing(self, planned: PlannedCase) -> None:
        """Nothing is printed before there is a trace."""

    def traced(self, planned: PlannedCase, trace: Trace) -> None:
        """Print how the case's chunks were delivered, or why that cannot be told."""
        self._print(self._trace_headline(planned, trace))


def told_preparing(side: Side | None, command: Sequence[str]) -> str:
    """What is run, and for which side."""
    return f"preparing{'' if side is None else f' {side}'}: {printable(shlex.join(command))}"


def counted(users: Sequence[int]) -> str:
    """Like: 1 and 8 users."""
    return f"{' and '.join(str(number) for number in users)} user{'s' if users[-1] > 1 else ''}"
