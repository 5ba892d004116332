"""Which of a run's figures may be relied on, although some of its trials are invalid."""

from __future__ import annotations

from collections.abc import Sequence

from results.records import AS_PLANNED_LABELS
from results.run import TrialSummary, standing
from results.sides import Side

#: The share of a case's trials that must be valid.
_LEAST_VALID = 0.75


def trustworthy(trials: Sequence[TrialSummary]) -> bool:
    """Whether all cases of a run may be relied on."""
    kept: dict[tuple[str, bool, Side | None, bool], list[TrialSummary]] = {}
    for trial in trials:
        slot = trial.slot
        kept.setdefault((slot.case, slot.control, slot.side, slot.confirming), []).append(trial)
    return all(why_untrusted(mine) is None for mine in kept.values())


def why_untrusted(trials: Sequence[TrialSummary]) -> str | None:
    """Why one case with these trials may not be relied on; None when it may.

    Not when a response failed or a server did not start: something is broken. Trials that the load side
    (a driver that died, too), the clock or the machine spoilt are left out, and borne as long as the case
    keeps most of its own. One that was measured once more is not looked at.
    """
    trials = standing(trials)
    invalid = [trial for trial in trials if trial.reason is not None]
    broken = [
        trial
        for trial in invalid
        if (not trial.outcomes or set(trial.outcomes) - AS_PLANNED_LABELS) and not _of_the_load_side(trial)
    ]
    if broken:
        return f"{len(broken)} of {len(trials)} trials failed: {broken[0].reason}"
    if len(trials) - len(invalid) < _LEAST_VALID * len(trials):
        return (
            f"{len(invalid)} of {len(trials)} trials are invalid, and at most "
            f"{1 - _LEAST_VALID:.0%} may be: {invalid[0].reason}"
        )
    return None


def _of_the_load_side(trial: TrialSummary) -> bool:
    return trial.fault is not None and trial.fault.of_the_load_side
