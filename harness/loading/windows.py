"""Whether windows and timeouts leave room for responses over a line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analysis.summary import labels
from harness.loading.line import LineFailed
from harness.suites.matrix import PlannedCase
from results.metrics import FEWEST_RESPONSES
from results.records import Verification
from scenarios.specification import Arrivals, SlowReader

_ACCEPT = "accept-encoding"
#: By so much a window that is recommended is longer than the least: for headers, servers, TCP's slow start.
_ROOM = 1.2


@dataclass(frozen=True, slots=True)
class _Round:
    """A response to each of ``users``, who share a line, takes at least so long (s)."""

    users: int
    seconds: float


def check_sizes(cases: Iterable[PlannedCase], found: Mapping[str, Verification], window_s: float) -> None:
    """That window and timeout are long enough for a response to each of a case's users, who share its line.

    Raises LineFailed with the cases that they are too short for.
    """
    problems = []
    for planned in cases:
        if isinstance(planned.load, Arrivals) or (least := _least(planned, found)) is None:
            continue
        takes = (
            f"{planned.case.identity}: a response to each of {least.users} users takes at least "
            f"{least.seconds:.3g} s over {_line(planned)}, and"
        )
        if least.seconds > window_s:
            problems.append(f"{takes} the window is {window_s:g} s")
        if least.seconds > planned.target.timeout:
            problems.append(f"{takes} {planned.target.name} has a timeout of {planned.target.timeout:g} s")
    if problems:
        told = "\n".join(problems)
        raise LineFailed(f"{told}\nMake that longer, the responses smaller, or the line faster")


def few_responses(
    cases: Iterable[PlannedCase], found: Mapping[str, Verification], window_s: float
) -> list[str]:
    """A sentence for each case of which a window cannot hold enough responses over its line.

    What a slow reader takes is its own choice, and none is told of one.
    """
    told = []
    cases = list(cases)
    names = labels([planned.case for planned in cases])
    for planned in cases:
        if isinstance(planned.load, SlowReader) or (least := _least(planned, found)) is None:
            continue
        most = least.users * window_s / least.seconds
        if most < FEWEST_RESPONSES:
            wanted_s = math.ceil(FEWEST_RESPONSES * least.seconds / least.users * _ROOM * 10) / 10
            told.append(
                f"{names[planned.case.identity]}: a window of {window_s:g} s holds at most {most:.1f} "
                f"responses over {_line(planned)}, few for a median to rest on: {FEWEST_RESPONSES} want "
                f"about {wanted_s:g} s; make the window longer, or the responses smaller"
            )
    return told


def _least(planned: PlannedCase, found: Mapping[str, Verification]) -> _Round | None:
    """By its size and its way; null where the line has neither rate nor delay, or nothing is timed."""
    line = planned.line
    if line is None or not line.has_queue or planned.case.expect_failure:
        return None
    verification = found[planned.case.identity]
    # of a compressed one the size on the line is not known
    asks = planned.encoding is not None or any(name.lower() == _ACCEPT for name in planned.target.headers)
    size = verification.body_bytes if verification.prefix_bytes is None else verification.prefix_bytes
    one_s = 0.0 if line.bits_per_second is None or asks else size * 8 / line.bits_per_second
    if isinstance(planned.load, Arrivals):  # several are on their way at once
        return _Round(1, one_s) if one_s else None
    seconds = max(planned.load.users * one_s, 2 * line.delay_s + one_s)
    return _Round(planned.load.users, seconds) if seconds else None


def _line(planned: PlannedCase) -> str:
    return "" if planned.line is None else planned.line.label
