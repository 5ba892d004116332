"""What a rehearsal tells whoever wrote the suite: what would spoil the run, and which lines decide it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from analysis.summary import labels
from harness.rehearsal import Answer, Rehearsed, too_fine
from harness.suites.suite import Suite
from harness.suites.target import Target
from harness.suites.values import placeholders
from harness.trials.validity import MOST_CLIENT_CPU
from results.metrics import FEWEST_RESPONSES

#: Less than this is sent in one piece by many servers, and costs less than the request around it.
SMALLEST_BODY_BYTES = 10_000
#: A window holds so many responses where that is not long: a percentile needs 20.
_ENOUGH_RESPONSES = 20
_SHORTEST_WINDOW_S = 1.0
#: A window for 20 of the slowest responses is not made longer than this; one for 10 of them is.
_LONG_WINDOW_S = 10.0
#: As many as fit in spite of responses that are slower than the one that was seen.
_ROOM = 1.2
#: What is asked of a buffer whose chunks are too small for the load driver.
_TIMES_LARGER = 10


@dataclass(frozen=True, slots=True)
class Advice:
    """A doubt in a sentence or two, with the target's keys that decide it and the target's number from 0."""

    what: str
    keys: Sequence[str]
    target: int = 0


def slowest_s(rehearsed: Rehearsed) -> float:
    """The longest response, in seconds."""
    return max(answer.took_s for answer in _timed(rehearsed))


def window_s(slowest: float) -> float:
    """A window (seconds) that holds enough responses, of which the slowest takes so many seconds.

    Twenty, where that is not long; ten always. It is rounded up to half a second, or to a whole one from 10.
    """
    wanted = max(_SHORTEST_WINDOW_S, min(_ENOUGH_RESPONSES * slowest * _ROOM, _LONG_WINDOW_S))
    wanted = max(wanted, FEWEST_RESPONSES * slowest * _ROOM)
    step = 0.5 if wanted < _LONG_WINDOW_S else 1.0
    return math.ceil(wanted / step) * step


def advice(rehearsed: Rehearsed, suite: Suite) -> list[Advice]:
    """What would spoil a run of the suite that was rehearsed; empty where nothing would."""
    timed = list(_timed(rehearsed))
    names = labels([answer.planned.case for answer in rehearsed.answers])
    found: list[Advice] = []
    for number, target in enumerate(suite.target):
        own = [answer for answer in timed if answer.planned.target == target]
        doubts = (
            *_too_small(own),
            *_in_one_piece(own, names),
            *_too_slow(own, names, suite.window),
            *_for_the_driver(own, names),
        )
        found += [replace(doubt, target=number) for doubt in doubts]
    return found


def _timed(rehearsed: Rehearsed) -> Iterator[Answer]:
    return (answer for answer in rehearsed.answers if not answer.planned.case.expect_failure)


def _too_small(answers: Sequence[Answer]) -> Iterator[Advice]:
    size = min((answer.found.body_bytes for answer in answers), default=SMALLEST_BODY_BYTES)
    if size < SMALLEST_BODY_BYTES:
        yield Advice(
            f"the response has {size:,} bytes: so little says more of HTTP than of streaming. Ask for one of "
            f"{SMALLEST_BODY_BYTES:,} bytes or more, like those that made you think of streaming",
            ("stream", "baseline"),
        )


def _in_one_piece(answers: Sequence[Answer], names: dict[str, str]) -> Iterator[Advice]:
    streams = [answer for answer in answers if not answer.planned.case.is_baseline]
    whole = [answer for answer in streams if answer.found.chunks == 1 or answer.found.framing == "length"]
    if not whole:
        return
    lengths = all(answer.found.framing == "length" for answer in whole)
    how = "with its length, as what was built whole is" if lengths else "in one chunk"
    which = _listed(names[answer.planned.case.identity] for answer in whole)
    if len(whole) == len(streams):
        what = f"{which} came {how}: it does not stream, or something collects it before it is sent"
    else:
        what = (
            f"{which} came {how}: with that buffer it is not streamed. Leave the value out, or ask for more"
        )
    yield Advice(what, ("stream", *whole[0].planned.target.axes))


def _too_slow(answers: Sequence[Answer], names: dict[str, str], window: float) -> Iterator[Advice]:
    slow = [answer for answer in answers if answer.took_s * FEWEST_RESPONSES > window]
    if slow:
        slowest = max(slow, key=lambda answer: answer.took_s)
        yield Advice(
            f"{names[slowest.planned.case.identity]} takes {slowest.took_s:.3g} s: fewer than "
            f"{FEWEST_RESPONSES} fit into a window of {window:g} s. Make the window "
            f"{window_s(slowest.took_s):g} s, or ask for a smaller response",
            ("window", "stream", "baseline"),
        )


def _for_the_driver(answers: Sequence[Answer], names: dict[str, str]) -> Iterator[Advice]:
    fine = [answer for answer in answers if too_fine(answer)]
    if not fine:
        return
    told = [
        f"{names[answer.planned.case.identity]} ({_chunks(answer)}: {answer.client_cpu:.0%} of its core)"
        for answer in fine
    ]
    enough = [
        answer for answer in answers if answer.client_cpu is not None and not answer.planned.case.is_baseline
    ]
    coarser = [answer for answer in enough if not too_fine(answer)]
    them = "it" if len(fine) == 1 else "them"
    remedy = f"Ask for larger chunks{_larger(fine[0].planned.target)}, or leave {them} out"
    if coarser:
        first = coarser[0]
        remedy = (
            f"Leave {them} out: {names[first.planned.case.identity]} ({_chunks(first)}) takes "
            f"{first.client_cpu:.0%}"
        )
    yield Advice(
        f"the load driver can hardly take {_listed(told)} as fast as the app sends, and a trial in which it "
        f"uses more than {MOST_CLIENT_CPU:.0%} does not count. {remedy}",
        ("stream", *fine[0].planned.target.axes),
    )


def _larger(target: Target) -> str:
    """A value that asks for larger chunks, of the one axis of numbers that does not change the response."""
    free = [name for name in placeholders(target.stream) if name not in placeholders(target.baseline)]
    numbers = {
        name: [value for value in target.axes[name] if isinstance(value, int)] for name in dict.fromkeys(free)
    }
    found = [(name, max(values)) for name, values in numbers.items() if len(values) == len(target.axes[name])]
    if len(found) != 1:
        return ""
    name, most = found[0]
    return f", like {name}={_TIMES_LARGER * max(most, 1)}"


def _chunks(answer: Answer) -> str:
    size = answer.found.median_chunk_bytes
    return f"a response of {answer.found.body_bytes:,} bytes" if size is None else f"chunks of {size:,} bytes"


def _listed(names: Iterator[str] | Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a suite file, by its number from 1, that holds a key, though it may be in a comment."""

    key: str
    number: int
    text: str


def lines_of(text: str, target: int, keys: Sequence[str]) -> list[Line]:
    """The suite's lines that hold these keys of its target with this number (from 0), without their comments.

    A key that is nowhere is left out. ``window`` is the suite's own.
    """
    lines = text.splitlines()
    heads = [number for number, line in enumerate(lines) if re.match(r"\s*\[\[\s*target\s*\]\]", line)]
    begin = heads[target] + 1 if target < len(heads) else 0
    ends = [number for number in range(begin, len(lines)) if re.match(r"\s*(?:# )?\[\[", lines[number])]
    inside = range(begin, ends[0] if ends else len(lines))
    found = []
    for key in dict.fromkeys(keys):
        where = range(heads[0] if heads else len(lines)) if key == "window" else inside
        number = next((at for at in where if re.match(rf"\s*(?:# )?{re.escape(key)}\s*=", lines[at])), None)
        if number is not None:
            found.append(Line(key, number + 1, _uncommented(lines[number])))
    return found


def server_line(text: str, kind: str) -> Line | None:
    """The suite's line that names this kind of server, as ``server``; null without one."""
    pattern = re.compile(rf"\s*kind\s*=\s*[\"']{re.escape(kind)}[\"']")
    lines = enumerate(text.splitlines(), start=1)
    return next((Line("server", at, _uncommented(line)) for at, line in lines if pattern.match(line)), None)


def _uncommented(line: str) -> str:
    return re.sub(r"\s{2,}#.*", "", line)
