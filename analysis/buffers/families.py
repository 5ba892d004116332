"""Families of buffers: the streamed cases of a run that differ in one knob only.

The bytes that a chunk really has stand beside each knob: 5 template events are not 5 rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.summary import label_without
from analysis.table import amount
from results.case import SETTINGS, Case, Value
from results.metrics import Unit
from results.run import Run


@dataclass(frozen=True, slots=True)
class Size:
    """One value of a knob, and what it makes of the response on the wire.

    The chunk figures are those that verify saw, null where the response was not chunked. The first chunk
    holds the header too.
    """

    case: Case
    name: str
    first_chunk_bytes: int | None
    median_chunk_bytes: int | None

    @property
    def label(self) -> str:
        """The knob's value with the bytes of its chunks: rows=50 (4.6 KiB a chunk)."""
        if self.median_chunk_bytes is None:
            return self.name
        return f"{self.name} ({amount(self.median_chunk_bytes, Unit.BYTES)} a chunk)"


@dataclass(frozen=True, slots=True)
class Family:
    """The sizes of one knob, the smallest first: by the bytes of a chunk where all of them are known."""

    label: str
    knob: str
    sizes: Sequence[Size]


def families(run: Run) -> list[Family]:
    """Every set of two streamed cases or more that share their whole form and differ in one number.

    A number that the whole form has too, like the response's size, is no knob: it makes a whole form each.
    """
    alike: dict[tuple[str, tuple[tuple[str, Value], ...]], list[Case]] = {}
    for case in run.header.cases:
        if case.baseline is None:
            continue
        for knob, value in case.parameters.items():
            if knob not in {"target", "form", *SETTINGS} and _is_number(value):
                rest = tuple(sorted((key, other) for key, other in case.parameters.items() if key != knob))
                alike.setdefault((knob, (("baseline", case.baseline), *rest)), []).append(case)
    return [
        Family(label_without(run, cases[0], knob), knob, _by_size(run, cases, knob))
        for (knob, _), cases in alike.items()
        if len(cases) > 1
    ]


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _by_size(run: Run, cases: Sequence[Case], knob: str) -> list[Size]:
    numbered = sorted(cases, key=lambda case: float(case.parameters[knob]))
    sizes = [_size(run, case, knob) for case in numbered]
    known = [size.median_chunk_bytes for size in sizes if size.median_chunk_bytes is not None]
    if len(known) < len(sizes):
        return sizes
    return [size for _, size in sorted(zip(known, sizes, strict=True), key=lambda both: both[0])]


def _size(run: Run, case: Case, knob: str) -> Size:
    found = run.verifications.get(case.identity)
    return Size(
        case,
        f"{knob}={case.parameters[knob]}",
        found.first_chunk_bytes if found else None,
        found.median_chunk_bytes if found else None,
    )
