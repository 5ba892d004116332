"""How one size of a family stands against the rule of the recommended buffer, in figures and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.buffers.families import Size
from analysis.buffers.selection import KEPT
from analysis.table import amount, digits, times
from analysis.verdicts.judgement import Kind, Verdict
from results.metrics import Unit

_FIRST_BYTE = {
    Kind.SAME: "its first byte is as early as",
    Kind.BETTER: "its first byte is earlier than",
    Kind.WORSE: "its first byte is later than",
    Kind.UNDECIDED: "its first byte is not shown to be later than",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One size against the rule.

    ``kept`` is its throughput over that of ``best``, ``low`` to ``high`` the 90% interval; ``keeps`` is
    whether that lies at 0.95 or above. ``ttfb_ns`` and ``smallest_ttfb_ns`` are medians over the blocks, its
    own and that of ``smallest``; ``ttfb`` is the verdict on both, ``lost`` the share (0 to 1) that it loses
    of what the smallest gains over the whole form, null where that is not known, and ``later`` whether that
    is too much. ``peak_bytes`` is the largest peak of its
    trials, null where one of them does not tell; ``inside_cap`` is true without a cap. ``share`` (0 to 1) is
    how often resampled blocks select it.
    """

    size: Size
    best: Size
    smallest: Size
    kept: float
    low: float
    high: float
    keeps: bool
    ttfb_ns: float
    smallest_ttfb_ns: float
    ttfb: Verdict
    later: bool
    lost: float | None
    peak_bytes: float | None
    cap_bytes: float | None
    inside_cap: bool
    share: float

    @property
    def objections(self) -> Sequence[str]:
        """Why it is not to be recommended, each a clause with its figures; none where it passes."""
        found = []
        if not self.keeps:
            found.append(self._throughput_lost())
        if self.later:
            found.append(self._first_byte())
        if not self.inside_cap:
            found.append(self._beyond_cap())
        return found

    @property
    def merits(self) -> Sequence[str]:
        """That it keeps the throughput, the first byte and the memory, each a clause with its figures."""
        found = [f"it keeps 95% of the best throughput ({self._throughput()})"]
        if self.size is not self.smallest:
            found.append(self._first_byte())
        if self.cap_bytes is not None and self.inside_cap:
            grown, cap = amount(self.peak_bytes, Unit.BYTES), amount(self.cap_bytes, Unit.BYTES)
            found.append(f"its memory grew by at most {grown}, inside the cap of {cap}")
        return found

    def _throughput(self) -> str:
        if self.size is self.best:
            return "its own"
        return (
            f"{digits(self.kept)} of {self.best.name}, 90% interval {digits(self.low)} to {digits(self.high)}"
        )

    def _throughput_lost(self) -> str:
        shown = "it does not keep" if self.high < KEPT else "it is not shown to keep"
        return f"{shown} 95% of the best throughput ({self._throughput()})"

    def _first_byte(self) -> str:
        verdict = self.ttfb
        own, smallest = (amount(value, Unit.NANOSECONDS) for value in (self.ttfb_ns, self.smallest_ttfb_ns))
        return (
            f"{_FIRST_BYTE[verdict.kind]} that of {self.smallest.name} ({own} against {smallest}: "
            f"{times(verdict.estimate)}, 95% interval {times(verdict.low)} to {times(verdict.high)})"
            + self._lost()
        )

    def _lost(self) -> str:
        if self.lost is None or self.ttfb.kind is not Kind.WORSE:
            return ""
        return f", which loses {self.lost:.1%} of what that gains over the whole form"

    def _beyond_cap(self) -> str:
        cap = amount(self.cap_bytes, Unit.BYTES)
        if self.peak_bytes is None:
            return f"not every trial tells its memory, which has a cap of {cap}"
        return f"its memory grew by {amount(self.peak_bytes, Unit.BYTES)}, beyond the cap of {cap}"
