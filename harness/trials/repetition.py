"""Which trial is measured once more: one whose records are missing, for no fault of what is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from results.records import Slot, TrialRecord

#: So often is one measured in all; then its block does without it.
MOST_ATTEMPTS = 3


def repetition(slot: Slot, trial: TrialRecord, slots: Sequence[Slot]) -> Slot | None:
    """The slot, behind all planned ones, in which this one's trial is measured again; null where it is not.

    That is its position; when it is measured, `harness.conduct` says.
    """
    if trial.fault is None or not trial.fault.is_repeated:
        return None
    if sum(other.place == slot.place for other in slots) >= MOST_ATTEMPTS:
        return None
    return replace(slot, position=max(other.position for other in slots) + 1)
