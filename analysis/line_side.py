"""What the lines of a suite did to its figures: packets that they dropped, and windows with few responses."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from analysis.summary import labels
from results.case import Case
from results.metrics import FEWEST_RESPONSES
from results.run import Run, TrialSummary, standing


@dataclass(frozen=True, slots=True)
class CaseOnLine:
    """One case over a line that has queues, in its valid ``trials``; in an ab, those of both sides.

    In ``trials_with_drops`` of them the queues dropped packets: so many ``to_load`` and ``to_server`` in
    all. ``responses`` is how many verified in a window of ``window_s``, the median over these trials; null
    where no response comes to its end as planned, or the reader sets the pace.
    """

    case: str
    label: str
    trials: int
    trials_with_drops: int
    to_load: int
    to_server: int
    responses: float | None
    window_s: float

    @property
    def has_few(self) -> bool:
        """Whether a window held too few responses for a median to rest on."""
        return self.responses is not None and self.responses < FEWEST_RESPONSES

    @property
    def window_needed_s(self) -> int | None:
        """A window (s) that would hold enough at this pace; null where this one does, or held none at all."""
        if not self.responses or not self.has_few:
            return None
        return math.ceil(self.window_s * FEWEST_RESPONSES / self.responses)


def line_side(run: Run) -> list[CaseOnLine]:
    """The cases over lines that have queues, as far as they have valid trials; empty without such a line."""
    names = labels([case for case in run.header.cases if not case.expect_failure])
    valid = [trial for trial in standing(run.trials) if trial.reason is None and trial.line_drops is not None]
    found = []
    for case in run.header.cases:
        mine = [trial for trial in valid if trial.slot.case == case.identity]
        if mine:
            found.append(_of(case, names[case.identity], mine, run.header.window_s))
    return found


def _of(case: Case, label: str, trials: Sequence[TrialSummary], window_s: float) -> CaseOnLine:
    drops = [trial.line_drops for trial in trials if trial.line_drops is not None]
    rates = [trial.figures.get("requests_per_second") for trial in trials]
    known = [rate for rate in rates if rate is not None]
    return CaseOnLine(
        case=case.identity,
        label=label,
        trials=len(trials),
        trials_with_drops=sum(item.packets > 0 for item in drops),
        to_load=sum(item.to_load for item in drops),
        to_server=sum(item.to_server for item in drops),
        responses=round(statistics.median(known) * window_s, 3) if known else None,
        window_s=window_s,
    )


def dropped_in_words(cases: Sequence[CaseOnLine]) -> str:
    """Like: nothing dropped in 16 trials."""
    trials, dropping = sum(item.trials for item in cases), sum(item.trials_with_drops for item in cases)
    packets = sum(item.to_load + item.to_server for item in cases)
    if not packets:
        return f"nothing dropped in {trials} trial{'s' if trials > 1 else ''}"
    return f"{_packets(packets)} dropped in {dropping} of {trials} trials"


def doubts_of(cases: Sequence[CaseOnLine]) -> Iterator[tuple[str, str]]:
    """Each as our own words, and the case that they are about."""
    for item in cases:
        if item.trials_with_drops:
            yield _dropped(item), item.label
        if item.has_few:
            yield _few(item), item.label


def _dropped(item: CaseOnLine) -> str:
    return (
        f"the line dropped {_packets(item.to_load + item.to_server)} ({item.to_load:,} to the load, "
        f"{item.to_server:,} to the server) in {item.trials_with_drops} of {item.trials} trials: each is "
        "sent again, and the wait for it looks like a stall of the server"
    )


def _few(item: CaseOnLine) -> str:
    longer = "" if item.window_needed_s is None else f"; make it {item.window_needed_s} s or more"
    return (
        f"fewer than {FEWEST_RESPONSES} responses came over the line in a window of {item.window_s:g} s (the "
        f"median is {item.responses:.3g}){longer}"
    )


def document(cases: Sequence[CaseOnLine]) -> list[dict[str, Any]]:
    """The same ready for JSON: ``line`` in the schemas."""
    return [{**asdict(item), "window_needed_s": item.window_needed_s} for item in cases]


def _packets(count: int) -> str:
    return f"{count:,} packet{'s' if count > 1 else ''}"
