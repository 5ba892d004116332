"""What another machine's clock shows at an instant of ours: measured, with a bound, or the same clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
#: Processes in one time namespace of one boot read one CLOCK_MONOTONIC (time_namespaces(7)).
_TIME_NAMESPACE = Path("/proc/self/ns/time")


@dataclass(frozen=True, slots=True)
class Reading:
    """A message to a worker and its answer: sent and returned by our clock, received and answered by its own.

    All in CLOCK_MONOTONIC ns.
    """

    sent_ns: int
    received_ns: int
    answered_ns: int
    returned_ns: int

    @property
    def travel_ns(self) -> int:
        """How long both messages were on their way."""
        return (self.returned_ns - self.sent_ns) - (self.answered_ns - self.received_ns)


@dataclass(frozen=True, slots=True)
class Offset:
    """A worker's CLOCK_MONOTONIC minus ours, and by how much (ns) that may be off at most."""

    offset_ns: int
    bound_ns: int


SAME_CLOCK = Offset(0, 0)


def offset_of(readings: Iterable[Reading]) -> Offset:
    """By the reading whose messages travelled shortest: neither can have arrived before it was sent.

    So that the offset lies between answered - returned and received - sent (as in RFC 5905, 8), whatever the
    way there and the way back took.
    """
    best = min(readings, key=lambda reading: reading.travel_ns)
    least_ns, most_ns = best.answered_ns - best.returned_ns, best.received_ns - best.sent_ns
    return Offset((least_ns + most_ns) // 2, (most_ns - least_ns + 1) // 2)


def offset_over(before: Offset, after: Offset) -> Offset:
    """The offset of a trial between two measurements: the first, with a bound that holds for both ends."""
    moved_ns = abs(after.offset_ns - before.offset_ns)
    return Offset(before.offset_ns, max(before.bound_ns, moved_ns + after.bound_ns))


def own_clock() -> Sequence[str]:
    """What tells this process's monotonic clock from others'; empty where the system does not say."""
    if not (_BOOT_ID.exists() and _TIME_NAMESPACE.is_symlink()):
        return []
    return [_BOOT_ID.read_text().strip(), str(_TIME_NAMESPACE.readlink())]
