"""Many stored runs of one suite: each case's ratio to its own baseline, from run to run.

Ratios to a baseline of the same run travel between machines; absolute times do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analysis.runs.between_runs import Arms, Screened, screen
from analysis.runs.comparison import arms_between, everything
from analysis.runs.fingerprint import changed_parts, changed_workers, measured_commit
from analysis.sparkline import sparkline
from analysis.summary import labels
from analysis.trial.calibration import error_of
from analysis.verdicts.fitness import judge_case, unfit
from analysis.verdicts.judgement import Verdict
from results.case import Case
from results.metrics import FIGURES, Figure
from results.run import Run

#: What is shown when no figure is asked for.
SHOWN = ("ttfb_p50", "throughput", "peak_memory")


@dataclass(frozen=True, slots=True)
class Entry:
    """One run. ``commit`` is the app's, null where not known; ``unfit``: the A/A control was told apart."""

    name: str
    run: Run
    commit: str | None
    unfit: bool


@dataclass(frozen=True, slots=True)
class Point:
    """A case in one figure of one run: against its own baseline, and since the last run that had it.

    ``since`` is the screening of this run against that one, ``before`` its name; null for the first.
    """

    verdict: Verdict
    since: Screened | None
    before: str | None


@dataclass(frozen=True, slots=True)
class Series:
    """A case in one figure: a point for each entry, null where that run has not timed the case."""

    case: Case
    label: str
    figure: Figure
    points: Sequence[Point | None]

    def drawn(self) -> str:
        """The ratios' logarithms (or the bytes) as a line of text, two margins high at least."""
        values = [point.verdict.estimate if point else None for point in self.points]
        margin = self.figure.margin
        if self.figure.by_difference:
            return sparkline(values, 2 * margin.least)
        return sparkline(
            [math.log(value) if value else None for value in values], 2 * math.log1p(margin.share)
        )


@dataclass(frozen=True, slots=True)
class History:
    """All runs, oldest first, and a series for each case and figure."""

    entries: Sequence[Entry]
    series: Sequence[Series]


def history(
    runs: Mapping[str, Run],
    figures: Sequence[str] = SHOWN,
    *,
    chosen: Callable[[Case], bool] = everything,
) -> History:
    """The ``chosen`` cases that have a baseline, over these runs by name.

    The runs are put into the order of their commits' dates, or where one is not known, of their own. Each run
    is screened against the last one before it that has the case; the correction is taken over all such
    tests of the run, as `analysis.runs.comparison.compare_runs` does.
    """
    ordered = sorted(runs.items(), key=lambda item: _when(item[1]))
    timed = _timed([run for _, run in ordered])
    names = labels(list(timed.values()))
    cases = [case for case in timed.values() if case.baseline is not None and chosen(case)]
    tracks = [_Track(case, FIGURES[name], []) for case in cases for name in figures]
    for name, run in ordered:
        for track, since in zip(tracks, _since(run, tracks), strict=True):
            track.add(name, run, since)
    return History(
        [_entry(name, run) for name, run in ordered],
        [Series(track.case, names[track.case.identity], track.figure, track.points) for track in tracks],
    )


@dataclass(slots=True)
class _Track:
    """A case in one figure while the runs go by; ``latest`` is the last one, with its name, that has it."""

    case: Case
    figure: Figure
    points: list[Point | None]
    latest: tuple[str, Run] | None = None

    def add(self, name: str, run: Run, since: Screened | None) -> None:
        if all(trial.slot.case != self.case.identity for trial in run.trials):
            self.points.append(None)
            return
        own = judge_case(run, self.case, self.figure.name, error=error_of(run, self.figure, self.case))
        self.points.append(Point(own, since, self.latest[0] if self.latest and since else None))
        if own.estimate is not None:
            self.latest = (name, run)


def _since(run: Run, tracks: Sequence[_Track]) -> list[Screened | None]:
    """For each track the run against the latest one before it, null where one of them lacks the figure."""
    arms = [
        arms_between(track.latest[1], run, track.case, track.figure) if track.latest else None
        for track in tracks
    ]
    verdicts = iter(screen([item for item in arms if isinstance(item, Arms)]))
    return [next(verdicts) if isinstance(item, Arms) else None for item in arms]


def _when(run: Run) -> tuple[datetime, datetime]:
    created = datetime.fromisoformat(run.header.created_utc)
    commit = measured_commit(run.header.environment)
    if commit is None or commit.committed_utc is None:
        return created, created
    return datetime.fromisoformat(commit.committed_utc), created


def _timed(runs: Sequence[Run]) -> dict[str, Case]:
    """By identity: those of the newest run in its order, then those that only older ones have."""
    found: dict[str, Case] = {}
    for run in reversed(runs):
        for case in run.header.cases:
            if not case.expect_failure:
                found.setdefault(case.identity, case)
    return found


def _entry(name: str, run: Run) -> Entry:
    commit = measured_commit(run.header.environment)
    return Entry(name, run, str(commit) if commit else None, bool(unfit(run)))


def changed_between(before: Run, after: Run) -> list[str]:
    """The names of what differs: parts of the machine, its programs, and the text of the suite."""
    changed = changed_parts(before.header.environment, after.header.environment)
    if changed_workers(before.workers, after.workers):
        changed.append("the load's machines")
    return [*changed, "suite"] if before.header.suite_toml != after.header.suite_toml else changed
