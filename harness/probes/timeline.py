"""The timeline of one process's memory, of bounded length however long a trial is."""

from __future__ import annotations

from collections.abc import Sequence

from results.records import MemorySample

#: More samples of a process than this are never kept.
MOST_SAMPLES = 2000


class Timeline:
    """Samples of one process, in the order of time.

    When there are too many, of each four neighbours the least and the greatest are kept, and from then on of
    twice as many new ones as before: peaks and floors stay what they were, and the samples are spread evenly.
    """

    def __init__(self) -> None:
        self._kept: list[MemorySample] = []
        self._new: list[MemorySample] = []
        self._taken = 2
        """Of so many new samples two are kept."""

    def add(self, sample: MemorySample) -> None:
        """One more sample, later than all before."""
        self._new.append(sample)
        if len(self._new) < self._taken:
            return
        self._kept += _extremes(self._new)
        self._new.clear()
        if len(self._kept) >= MOST_SAMPLES:
            self._kept = [kept for four in _fours(self._kept) for kept in _extremes(four)]
            self._taken *= 2

    @property
    def samples(self) -> list[MemorySample]:
        """What is kept."""
        return [*self._kept, *(_extremes(self._new) if self._new else ())]


def _extremes(samples: Sequence[MemorySample]) -> list[MemorySample]:
    """The least and the greatest of them, in the order of time."""
    if len(samples) <= 2:
        return list(samples)
    least = min(samples, key=lambda sample: sample.rss_bytes)
    greatest = max(samples, key=lambda sample: sample.rss_bytes)
    if least is greatest:  # all are the same
        return [samples[0], samples[-1]]
    return sorted((least, greatest), key=lambda sample: sample.at_ns)


def _fours(samples: Sequence[MemorySample]) -> list[Sequence[MemorySample]]:
    return [samples[start : start + 4] for start in range(0, len(samples), 4)]
