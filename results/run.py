"""A run as it is stored: what was planned, on which machine, and what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from results.calibration import CalibrationPoint
from results.case import Case
from results.drops import LineDrops
from results.faults import Fault
from results.floors import MemoryFloor
from results.follow_ups import FollowUps
from results.others import OthersSummary
from results.records import Slot, Verification
from results.sides import MarginGate, Preparation, SideRecord
from results.terms import Terms
from results.workers import Worker, WorkerShare

#: The part of the environment record that names another streamgauge beside which a run was measured.
BESIDE = "beside"
#: The same of the link that a suite's lines were made of.
LINE = "line"


@dataclass(frozen=True, slots=True)
class RunHeader:
    """Everything that is known of a run before its first trial.

    ``suite_toml`` is the suite file letter for letter, ``command`` the words of the command line, and
    ``environment`` the machine's fingerprint (JSON-ready values by name). ``blocks`` and ``slots`` are those
    that are planned so far; ``blocks`` does not count those that confirm. ``sides`` and ``margin_gates`` are
    an ab's.
    """

    run_id: str
    created_utc: str
    suite: str
    suite_toml: str
    seed: int
    blocks: int
    warmup_s: float
    window_s: float
    version: str
    command: Sequence[str]
    cases: Sequence[Case]
    slots: Sequence[Slot]
    environment: Mapping[str, Any]
    terms: Terms = field(default_factory=Terms)
    sides: Sequence[SideRecord] = ()
    margin_gates: Sequence[MarginGate] = ()

    @property
    def beside(self) -> str | None:
        """Another streamgauge that measured on the machine meanwhile, in its words; null where none did."""
        words: str | None = self.environment.get(BESIDE)
        return words


@dataclass(frozen=True, slots=True)
class TrialSummary:
    """One stored trial without its raw records: what tables and verdicts are made of.

    ``figures`` are by the names of `results.metrics.FIGURES`, null where the trial cannot give one.
    ``outcomes`` counts the trial's requests by how they ended. ``others`` are the small requests beside them,
    null without any; ``floors`` are a soak's; ``follow_ups`` are null where nobody hung up. ``workers`` are
    the shares of several load processes, none where there is one only. ``fault`` is null of a trial that is
    valid. ``line_drops`` is what its line dropped, null where that has no queue.
    """

    slot: Slot
    reason: str | None
    started_ns: int
    finished_ns: int
    window_open_ns: int | None
    window_close_ns: int | None
    ran_as: str | None
    figures: Mapping[str, float | None]
    outcomes: Mapping[str, int]
    errors: Mapping[str, int]
    floors: Sequence[MemoryFloor] = ()
    follow_ups: FollowUps | None = None
    others: OthersSummary | None = None
    workers: Sequence[WorkerShare] = ()
    fault: Fault | None = None
    line_drops: LineDrops | None = None


def standing(trials: Iterable[TrialSummary]) -> list[TrialSummary]:
    """The trials without those that were measured once more: of each place in a block the last one."""
    return list({trial.slot.place: trial for trial in trials}.values())


def measured_again(trials: Iterable[TrialSummary]) -> list[TrialSummary]:
    """The trials that were measured once more: of each place in a block all but the last one."""
    trials = list(trials)
    last = {trial.slot.place: trial for trial in trials}
    return [trial for trial in trials if last[trial.slot.place] is not trial]


def in_order(slots: Iterable[Slot]) -> list[Slot]:
    """The slots in the order of their measurement: those that repeat one stand right behind it."""
    slots = sorted(slots, key=lambda slot: slot.position)
    first: dict[object, int] = {}
    for slot in slots:
        first.setdefault(slot.place, slot.position)
    return sorted(slots, key=lambda slot: (first[slot.place], slot.position))


@dataclass(frozen=True, slots=True)
class Run:
    """A stored run: its header, what verify learned by case identity, and its trials in order.

    ``calibration`` is the client's own error on the run's machine, before its first trial. In an ab,
    ``verifications`` are head's, and ``base_verifications`` those of the other side. ``workers`` are the load
    processes of a run that has several.
    """

    header: RunHeader
    finished_utc: str | None
    verifications: Mapping[str, Verification]
    trials: Sequence[TrialSummary]
    calibration: Sequence[CalibrationPoint] = ()
    base_verifications: Mapping[str, Verification] = field(default_factory=dict)
    preparations: Sequence[Preparation] = ()
    workers: Sequence[Worker] = ()
