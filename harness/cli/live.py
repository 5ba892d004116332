"""Progress on a terminal: what is being measured, how far it is, and the ratios that emerge.

It is drawn between trials only, never while a window is open: drawing takes time from the load's core. So
nothing here refreshes itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from analysis.summary import estimate, pairs_by_block
from analysis.table import times
from analysis.verdicts.sides import ratio_so_far, ratios_by_block, side_of
from harness.cli.progress import LineWatcher, Told, counted, told_preparing
from harness.suites.matrix import PlannedCase
from harness.suites.plan import Plan
from results.case import Case
from results.records import Slot, TrialRecord
from results.run import Run, TrialSummary
from results.sides import Side
from results.trace import Trace

#: The figures whose ratios are shown, and how they are headed.
_SHOWN = {"ttfb_p50": "TTFB", "throughput": "thr.put", "peak_memory": "memory"}
_BAR_WIDTH = 40
#: Lines of the screen that are not rows of the table.
_OTHER_LINES = 9
_FEWEST_ROWS = 3

Arm = tuple[Case, bool]


class LiveWatcher(Told):
    """Redraws itself when it is told something, at most twice a trial and never within one."""

    def __init__(self, console: Console, plan: Plan, stored: Run) -> None:
        super().__init__(console, plan, len(stored.trials))
        self._emerging = stored
        self._blocks = plan.blocks
        self._sides = None not in plan.sides
        self._again = " (base again)" if self._sides else " (again)"
        self._cases = {planned.case.identity: planned.case for planned in plan.cases}
        self._arms: list[Arm] = [
            (case, control)
            for case in self._cases.values()
            if not case.expect_failure and (case.is_baseline or case.baseline in self._cases)
            for control in self._measured_as(case)
        ]
        self._last_arms: list[Arm] = []
        self._last = ""
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def preparing(self, side: Side | None, command: Sequence[str]) -> None:
        """Show what is run."""
        self._draw(told_preparing(side, command).capitalize())

    def extended(self, slots: int, why: str) -> None:
        """More to do; why stays on the screen."""
        self._extend(slots)
        self._print(f"{slots} more trials: {why}")

    def verifying(self, cases: int) -> None:
        """Show that cases are being asked."""
        self._draw(f"Verifying {cases} cases")

    def calibrating(self, users: Sequence[int]) -> None:
        """Show that the client's own error is measured."""
        self._draw(f"Calibrating the client with {counted(users)}")

    def measuring(self, slot: Slot, planned: PlannedCase) -> None:  # noqa: ARG002
        """Show what is being measured, and all that was measured before."""
        self._begin()
        self._draw(
            f"Measuring {self._name(slot)}, block {slot.block + 1} of {max(self._blocks, slot.block + 1)}"
        )

    def measured(self, slot: Slot, planned: PlannedCase, trial: TrialRecord) -> None:
        """Keep it for the next drawing; a failure stays on the screen."""
        self._count()
        self._last = f"{self._name(slot)}: {self._headline(planned, trial)}"
        if trial.reason is not None:
            self._print(self._last)
        self._emerging = replace(
            self._emerging, trials=[*self._emerging.trials, _without_requests(slot, trial)]
        )
        arm = (planned.case, slot.control)
        self._last_arms = [arm, *(other for other in self._last_arms if other != arm)]

    def tracing(self, planned: PlannedCase) -> None:
        """Show what is being traced."""
        self._draw(f"Tracing {self._labels[planned.case.identity]}")

    def traced(self, planned: PlannedCase, trace: Trace) -> None:
        """Keep how the case's chunks were delivered; a failure stays on the screen."""
        self._count_trace()
        self._last = self._trace_headline(planned, trace)
        if trace.reason is not None:
            self._print(self._last)

    def _draw(self, phase: str) -> None:
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(self._total, self._done, width=max(min(_BAR_WIDTH, self._console.width - 24), 5)),
            f"{self._done}/{self._total}",
            self._left(),
        )
        lines: list[RenderableType] = [Text(phase, style="bold", overflow="ellipsis", no_wrap=True), bar]
        if self._last:
            lines.append(Text(self._last, style="dim", overflow="ellipsis", no_wrap=True))
        if self._done:
            lines.append(self._ratios())
        try:
            self._live.update(Group(*lines), refresh=True)
        except OSError:  # the terminal is gone; who started the run may still want it
            self._console.quiet = True

    def _ratios(self) -> Table:
        """What each case is to its whole form, or head to base, over the blocks so far that have both."""
        table = Table(show_edge=False, pad_edge=False, box=None, padding=(0, 1, 0, 0))
        table.add_column("head over base" if self._sides else "against whole", overflow="fold")
        for heading in (*_SHOWN.values(), "n"):
            table.add_column(heading, justify="right", no_wrap=True)
        shown = self._fitting()
        for case, control in shown:
            label = self._labels[case.identity] + (self._again if control else "")
            ratios, blocks = self._emerged(case, control=control)
            table.add_row(Text(label), *(times(ratio) for ratio in ratios), str(blocks))
        if len(shown) < len(self._arms):
            table.add_row(f"and {len(self._arms) - len(shown)} more")
        return table

    def _emerged(self, case: Case, *, control: bool) -> tuple[list[float | None], int]:
        """The ratios of the shown figures so far, and over how many blocks."""
        if self._sides and not control:
            ratios = [ratio_so_far(self._emerging, case, name) for name in _SHOWN]
            return ratios, len(ratios_by_block(self._emerging, case, "throughput"))
        run = side_of(self._emerging, Side.BASE) if self._sides else self._emerging
        ratios = [estimate(run, case, name, control=control).ratio for name in _SHOWN]
        return ratios, len(pairs_by_block(run, case, "throughput", control=control))

    def _measured_as(self, case: Case) -> Sequence[bool]:
        """The rows of a case, by whether it is a control: an ab's whole forms have both."""
        if self._sides:
            return (False, True) if case.is_baseline else (False,)
        return (case.is_baseline,)

    def _fitting(self) -> Sequence[Arm]:
        """All, or as many as the screen has room for: those that were measured last, in the suite's order."""
        room = max(self._console.height - _OTHER_LINES, _FEWEST_ROWS)
        if len(self._arms) <= room:
            return self._arms
        last = [arm for arm in self._last_arms if arm in self._arms][:room]
        return [arm for arm in self._arms if arm in last]


def _without_requests(slot: Slot, trial: TrialRecord) -> TrialSummary:
    """What ratios are made of."""
    return TrialSummary(
        slot=slot,
        reason=trial.reason,
        started_ns=trial.started_ns,
        finished_ns=trial.finished_ns,
        window_open_ns=None,
        window_close_ns=None,
        ran_as=None,
        figures=trial.figures or {},
        outcomes={},
        errors={},
        fault=trial.fault,
    )


def new_watcher(console: Console, plan: Plan, stored: Run) -> LineWatcher | LiveWatcher:
    """A live display on a terminal that can have one, lines elsewhere; ``stored`` is measured already."""
    if console.is_terminal and not console.is_dumb_terminal and not console.quiet:
        return LiveWatcher(console, plan, stored)
    return LineWatcher(console, plan, len(stored.trials))
