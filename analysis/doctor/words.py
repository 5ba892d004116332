"""The doctor's evidence in words."""

from __future__ import annotations

from analysis.doctor.delivery import LEAST_BYTES, LEAST_SPAN_NS, Course, Pace
from analysis.table import amount
from results.metrics import Unit


def course_words(course: Course) -> str:
    """How the bytes came over the time."""
    return (
        f"the first came after {course.first_share:.0%} of {amount(course.span_ns, Unit.NANOSECONDS)}, "
        f"half of the bytes after {course.half_share:.0%}"
    )


def untold_words(course: Course | None) -> str:
    """Why a course cannot be judged."""
    if course is None:
        return "no byte of a body came"
    if course.pieces == 1 and course.body_bytes < LEAST_BYTES:
        return f"{course.body_bytes:,} B in one piece are too few to tell"
    return (
        f"all of it came within {amount(course.span_ns, Unit.NANOSECONDS)}, too fast to tell (below "
        f"{amount(LEAST_SPAN_NS, Unit.NANOSECONDS)})"
    )


def pace_words(pace: Pace, coarse: Pace | None = None) -> str:
    """What became of a probe, and of a ``coarse`` one with the bytes of the whole response."""
    if coarse is None:
        return _one_pace_words(pace)
    held = "" if coarse.most_held_bytes is None else f", and up to {coarse.most_held_bytes:,} B were held"
    return f"{_one_pace_words(pace)}; of large ones {coarse.gaps - coarse.late}{held}"


def _one_pace_words(pace: Pace) -> str:
    came = f"{pace.gaps - pace.late} of {pace.gaps} pieces came before the next one was due"
    if pace.lag_p50_ns is None:
        return f"{came}; it re-encodes them"
    if pace.late and pace.most_held_bytes:
        return f"{came}; up to {pace.most_held_bytes:,} B were held"
    return f"{came}, {amount(pace.lag_p50_ns, Unit.NANOSECONDS)} after they were handed over"
