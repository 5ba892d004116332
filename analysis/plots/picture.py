"""A picture of a report: the drawing with all that is said of it in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawing.

    ``name`` is unique on its page and a file's name too. ``title`` says what it shows, ``what_to_see`` in one
    line what is in it for the reader, ``description`` its figures in words for those who do not see it.
    ``svg`` is an ``<svg>`` element whose colours are classes, so that it goes with a light and a dark page.
    """

    name: str
    title: str
    what_to_see: str
    description: str
    svg: str


@dataclass(frozen=True, slots=True)
class Absent:
    """A picture that the run has no data for, and why."""

    title: str
    reason: str
