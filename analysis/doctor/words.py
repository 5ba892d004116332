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
    told = f"{_in_time(pace)}{_held(pace)}"
    return told if coarse is None else f"{told}; of large ones {_in_time(coarse)}{_held(coarse)}"


def _in_time(pace: Pace) -> str:
    return f"{pace.gaps - pace.late} of {pace.gaps} pieces in time"


def _held(pace: Pace) -> str:
    if pace.lag_p50_ns is None:
        return ", re-encoded"
    if pace.late and pace.most_held_bytes:
        return f", up to {pace.most_held_bytes:,} B held"
    return f", after {amount(pace.lag_p50_ns, Unit.NANOSECONDS)}"
