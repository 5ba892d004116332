"""Whether a response streams: from its arrivals, from a stream whose schedule is known, or from inside."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

#: Instant (CLOCK_MONOTONIC ns) and bytes: of one piece, or so far.
Points = Sequence[tuple[int, int]]

#: From these shares of its time on, before the first row came, a response is held.
_PARTLY, _TO_THE_END = 0.5, 0.9
#: The same for the half of its bytes: one early row does not make a stream.
_HALF_PARTLY, _HALF_TO_THE_END = 0.85, 0.95
#: Below this a response is too fast to be judged by its instants.
LEAST_SPAN_NS = 10_000_000
#: Below this, what comes in one piece is no stream that somebody held.
LEAST_BYTES = 4096
#: One piece with such a share of the bytes is the response.
_ONE_PIECE, _ALL_OF_IT = 0.8, 0.95
#: Reads that are closer to each other than this are one arrival.
APART_NS = 1_000_000
#: Up to this share of late pieces a probe came through as it was sent.
FEW = 0.05


class Delivery(StrEnum):
    """How a response, or a probe, was delivered; the worst last."""

    STREAMS = "streams"
    CANNOT_TELL = "cannot tell"
    PARTLY = "partly held"
    HELD = "held to the end"
    CUT_OFF = "cut off"

    @property
    def is_held(self) -> bool:
        """Whether it is not as it was meant to be."""
        return self not in {Delivery.STREAMS, Delivery.CANNOT_TELL}


@dataclass(frozen=True, slots=True)
class Course:
    """How a response's bytes came over its time; shares are of ``span_ns``, which is without the round trip.

    ``pieces`` are arrivals a millisecond apart, or what an app handed over; ``largest_share`` is that of the
    largest one in the bytes.
    """

    span_ns: int
    first_share: float
    half_share: float
    pieces: int
    largest_share: float
    body_bytes: int


def course_of(
    began_ns: int, pieces: Points, ended_ns: int, first_row_ns: int | None = None, apart_ns: int = 0
) -> Course | None:
    """The course of pieces (instant, size); None where there are none.

    ``first_row_ns`` goes before the first byte, where it is known. What comes within ``apart_ns`` of
    a piece belongs to it.
    """
    if not pieces:
        return None
    span = max(ended_ns - began_ns, 1)
    total = sum(size for _, size in pieces)
    so_far, half_ns = 0, ended_ns
    for at_ns, size in pieces:
        so_far += size
        if so_far * 2 >= total:
            half_ns = at_ns
            break
    arrived = pieces if apart_ns == 0 else _arrivals(pieces, apart_ns)
    first_ns = pieces[0][0] if first_row_ns is None else first_row_ns
    return Course(
        span_ns=span,
        first_share=_share(first_ns - began_ns, span),
        half_share=_share(half_ns - began_ns, span),
        pieces=len(arrived),
        largest_share=max(size for _, size in arrived) / max(total, 1),
        body_bytes=total,
    )


def _share(part_ns: int, span_ns: int) -> float:
    return min(max(part_ns / span_ns, 0.0), 1.0)


def _arrivals(pieces: Points, apart_ns: int) -> list[tuple[int, int]]:
    """The pieces, those that follow one within so short a time counted to it."""
    arrivals: list[tuple[int, int]] = []
    for at_ns, size in pieces:
        if arrivals and at_ns - arrivals[-1][0] < apart_ns:
            arrivals[-1] = arrivals[-1][0], arrivals[-1][1] + size
        else:
            arrivals.append((at_ns, size))
    return arrivals


def pieces_of(points: Points) -> list[tuple[int, int]]:
    """(instant, bytes so far) as (instant, size)."""
    before = [0, *(so_far for _, so_far in points)]
    return [(at_ns, so_far - earlier) for (at_ns, so_far), earlier in zip(points, before, strict=False)]


def judged(course: Course | None) -> Delivery:
    """By the course alone. What was fast or small cannot be told."""
    if course is None or (course.pieces == 1 and course.body_bytes < LEAST_BYTES):
        return Delivery.CANNOT_TELL
    if course.span_ns < LEAST_SPAN_NS:
        return Delivery.CANNOT_TELL
    if course.first_share >= _TO_THE_END or course.half_share >= _HALF_TO_THE_END:
        return Delivery.HELD
    if course.first_share >= _PARTLY or course.half_share >= _HALF_PARTLY:
        return Delivery.PARTLY
    return Delivery.STREAMS


def judged_inside(course: Course | None) -> Delivery:
    """What an app hands over, by the same rules; here a fast one is told too, by its pieces."""
    if course is None or (course.pieces == 1 and course.body_bytes < LEAST_BYTES):
        return Delivery.CANNOT_TELL
    if course.pieces == 1:
        return Delivery.HELD
    if course.span_ns >= LEAST_SPAN_NS:
        return judged(course)
    if course.largest_share >= _ALL_OF_IT:
        return Delivery.HELD
    return Delivery.PARTLY if course.largest_share >= _ONE_PIECE else Delivery.STREAMS


@dataclass(frozen=True, slots=True)
class Pace:
    """What became of a stream whose schedule is known.

    Of ``late`` ones of its ``gaps`` pieces not even half had come when the next one was handed over;
    ``to_end`` of these were not there before the last one was. ``most_held_bytes`` is what was on the way
    at most at such an instant, ``lag_p50_ns`` how late pieces came; both are null where the bytes that came
    are others (something re-encodes).
    """

    gaps: int
    late: int
    to_end: int
    most_held_bytes: int | None
    lag_p50_ns: float | None

    @property
    def delivery(self) -> Delivery:
        """What this says of the layer that it came through."""
        if not self.gaps:
            return Delivery.CANNOT_TELL
        if self.to_end >= (1 - FEW) * self.gaps:
            return Delivery.HELD
        return Delivery.PARTLY if self.late > FEW * self.gaps else Delivery.STREAMS


def delivery_of(pace: Pace, coarse: Pace | None) -> Delivery:
    """What two probes say of a layer: one in pieces of the response's size, one with the bytes of all of it.

    A layer that lets the ``coarse`` one through keeps some bytes, and not the response to its end.
    """
    if pace.delivery.is_held and coarse is not None and not coarse.delivery.is_held:
        return Delivery.PARTLY
    if pace.delivery is Delivery.HELD and coarse is not None and coarse.delivery is Delivery.PARTLY:
        return Delivery.PARTLY
    return pace.delivery


def pace_of(yields: Points, arrivals: Points) -> Pace:
    """Yields and arrivals as (instant, size)."""
    gaps = len(yields) - 1
    yielded, arrived = _so_far(yields), _so_far(arrivals)
    if gaps < 1 or not arrived or yielded[-1][1] != arrived[-1][1]:
        return _pace_of_others(yields, arrivals)
    sizes = [size for _, size in arrived]
    came = [arrived[bisect_left(sizes, size)][0] for _, size in yielded]
    last = yielded[-1][0]
    held = [
        size - max((got for at, got in arrived if at < following), default=0)
        for (_, size), (following, _) in pairwise(yielded)
    ]
    return Pace(
        gaps=gaps,
        late=sum(2 * missing >= size for missing, (_, size) in zip(held, yields, strict=False)),
        to_end=sum(one >= last for one in came[:-1]),
        most_held_bytes=max(0, *held),
        lag_p50_ns=statistics.median(one - at for one, (at, _) in zip(came, yielded, strict=True)),
    )


def _pace_of_others(yields: Points, arrivals: Points) -> Pace:
    """Of bytes that are others than those that were yielded: whether something came in each gap.

    A compressor's own header comes at once, and is no piece; and what filters may leave out some of them.
    """
    gaps = [any(at <= one < following for one, _ in arrivals) for (at, _), (following, _) in pairwise(yields)]
    nothing = gaps.count(False)
    to_end = len(gaps) if nothing >= len(gaps) - 1 > 0 else 0
    return Pace(len(gaps), nothing if 2 * nothing > len(gaps) else 0, to_end, None, None)


def _so_far(pieces: Points) -> list[tuple[int, int]]:
    total, found = 0, []
    for at_ns, size in pieces:
        total += size
        found.append((at_ns, total))
    return found
