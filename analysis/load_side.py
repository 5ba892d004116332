"""Who made the load of a run that has several load processes, and what is doubtful about that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from analysis.summary import labels
from analysis.table import amount
from results.case import Case
from results.metrics import Unit
from results.run import Run, TrialSummary, standing
from results.workers import Worker

#: The part of an environment record that tells of several load processes.
LOAD_PROCESSES = "load_processes"
CAPTION = "The load processes"
HEADINGS = (
    "worker",
    "trials",
    "requests",
    "of its core, at most",
    "clock off by at most",
    "machine",
    "system",
    "CPU",
    "core",
    "streamgauge",
    "joined",
)
#: The columns that are more than a number.
TEXTS = frozenset(range(5, len(HEADINGS)))
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class WorkerPart:
    """One load process, and over the run the trials in which it had a part and its own requests in them.

    ``client_cpu``: the largest share (0 to 1) of its core that it used in a window, null where it had none.
    ``offset_bound_ns``: its clock against the harness's, the least sure of all trials; null where not known.
    """

    worker: Worker
    trials: int
    requests: int
    client_cpu: float | None
    offset_bound_ns: int | None


@dataclass(frozen=True, slots=True)
class ShortTrial:
    """A valid trial that was shared by fewer ``workers`` than were ``wanted``: planned, and of use to it."""

    position: int
    case: str
    label: str
    workers: int
    wanted: int


@dataclass(frozen=True, slots=True)
class LoadSide:
    """How the load was made: by so many ``processes`` at a time, which joined from ``elsewhere`` or not.

    ``parts`` are all that ever had joined. ``uncalibrated``: the numbers of those who made load, and whose
    own error was not measured.
    """

    processes: int
    elsewhere: bool
    parts: Sequence[WorkerPart]
    short: Sequence[ShortTrial]
    uncalibrated: Sequence[int]

    @property
    def machines(self) -> int:
        """On how many they were, by the machines' names."""
        return len({part.worker.host for part in self.parts})

    @property
    def offset_bound_ns(self) -> int | None:
        """By how much instants of different workers may be off at most; null where it is not known."""
        bounds = [part.offset_bound_ns for part in self.parts if part.trials]
        known = [bound for bound in bounds if bound is not None]
        return max(known) if known and len(known) == len(bounds) else None

    @property
    def over_network(self) -> bool:
        """Whether the requests came from another machine: one that is not known to have this one's clock."""
        return self.elsewhere and self.offset_bound_ns != 0

    @property
    def made(self) -> str:
        """Like "by 4 load processes on 2 machines"."""
        where = "on this machine"
        if self.over_network:
            where = f"on {counted(self.machines, 'machine')}" if self.parts else "on other machines"
        more = f"; {len(self.parts)} have joined in all" if len(self.parts) > self.processes else ""
        return f"by {counted(self.processes, 'load process')} {where}{more}"

    @property
    def clocks(self) -> str:
        """What is exact of their instants, and what is bounded."""
        bound_ns = self.offset_bound_ns
        if bound_ns == 0:
            return "all have this machine's clock: instants of different workers compare as those of one"
        off = "by how much is not known" if bound_ns is None else f"by up to {_time(bound_ns)}"
        return (
            "durations are of one machine's clock, exact as ever; only where something lies in the window or "
            f"on a timeline may be off, {off}"
        )


def load_side(run: Run) -> LoadSide | None:
    """Who made the load; None where the run's own driver did so alone."""
    told = run.header.environment.get(LOAD_PROCESSES)
    processes = next(iter(told.values()), None) if isinstance(told, Mapping) else None
    if not isinstance(told, Mapping) or not isinstance(processes, int):
        return None
    parts = [_part(worker, run.trials) for worker in run.workers]
    calibrated = {point.worker for point in run.calibration}
    return LoadSide(
        processes=processes,
        elsewhere="elsewhere" in told,
        parts=parts,
        short=_short(run, processes),
        uncalibrated=[
            part.worker.number
            for part in parts
            if calibrated and part.trials and part.worker.number not in calibrated
        ],
    )


def _part(worker: Worker, trials: Sequence[TrialSummary]) -> WorkerPart:
    shares = [share for trial in trials for share in trial.workers if share.worker == worker.number]
    bounds = [share.offset_bound_ns for share in shares]
    known = [bound for bound in bounds if bound is not None]
    return WorkerPart(
        worker,
        trials=len(shares),
        requests=sum(share.requests for share in shares),
        client_cpu=max((share.client_cpu_ns / share.client_wall_ns for share in shares), default=None),
        offset_bound_ns=max(known) if known and len(known) == len(bounds) else None,
    )


def _short(run: Run, processes: int) -> list[ShortTrial]:
    cases = {case.identity: case for case in run.header.cases}
    names = labels([case for case in run.header.cases if not case.expect_failure])
    valid = [trial for trial in standing(run.trials) if trial.reason is None and trial.workers]
    most: dict[str, int] = {}
    for trial in valid:
        most[trial.slot.case] = max(most.get(trial.slot.case, 0), len(trial.workers))
    found = []
    for trial in valid:
        identity = trial.slot.case
        wanted = _wanted(cases[identity], processes, most[identity])
        if len(trial.workers) < wanted:
            found.append(
                ShortTrial(trial.slot.position, identity, names[identity], len(trial.workers), wanted)
            )
    return found


def _wanted(case: Case, processes: int, most: int) -> int:
    """How many can share a trial of the case; where it has no number of users, as many as ever did."""
    users = case.parameters.get("users")
    return min(processes, users) if isinstance(users, int) else most


def called(number: int, workers: Sequence[Worker]) -> str:
    """A worker in a table: its number, which tells those of one name apart, and its name."""
    names = {worker.number: worker.name for worker in workers}
    return f"{number} ({names[number]})" if number in names else str(number)


def rows(load: LoadSide) -> list[list[str]]:
    """A row of `HEADINGS` for each worker; what it says of itself is other people's words."""
    workers = [part.worker for part in load.parts]
    return [
        [
            called(part.worker.number, workers),
            f"{part.trials:,}",
            f"{part.requests:,}",
            "not known" if part.client_cpu is None else f"{part.client_cpu:.0%}",
            "not known" if part.offset_bound_ns is None else _time(part.offset_bound_ns),
            part.worker.host,
            part.worker.system,
            part.worker.cpu or "not known",
            "not pinned" if part.worker.core is None else str(part.worker.core),
            part.worker.version,
            part.worker.joined_utc,
        ]
        for part in load.parts
    ]


def doubts_of(load: LoadSide | None) -> Iterator[tuple[str, str]]:
    """Each as our own words, and what they are about in other people's."""
    if load is None:
        return
    groups: dict[tuple[str, int, int], list[int]] = {}
    for trial in load.short:
        groups.setdefault((trial.label, trial.workers, trial.wanted), []).append(trial.position)
    for (label, had, wanted), positions in groups.items():
        trials = ", ".join(map(str, sorted(positions)[:_MOST_NAMED]))
        more = f" and {len(positions) - _MOST_NAMED} more" if len(positions) > _MOST_NAMED else ""
        told = f"trial{'s' if len(positions) > 1 else ''} {trials}{more}"
        yield f"{told}: {had} of {wanted} load processes made the load, so that each had more of it", label
    workers = [part.worker for part in load.parts]
    if load.uncalibrated:
        yield (
            "the own error of load processes that joined later was not measured",
            ", ".join(called(number, workers) for number in load.uncalibrated),
        )


def document(load: LoadSide | None) -> dict[str, Any] | None:
    """The same ready for JSON: ``load`` in the schemas."""
    if load is None:
        return None
    return {
        "processes": load.processes,
        "elsewhere": load.elsewhere,
        "offset_bound_ns": load.offset_bound_ns,
        "workers": [
            {
                **asdict(part.worker),
                "trials": part.trials,
                "requests": part.requests,
                "client_cpu": part.client_cpu,
                "offset_bound_ns": part.offset_bound_ns,
            }
            for part in load.parts
        ],
        "short_trials": [asdict(trial) for trial in load.short],
        "uncalibrated": list(load.uncalibrated),
    }


def counted(count: int, what: str) -> str:
    """Like "1 machine" and "2 load processes"."""
    plural = f"{what}es" if what.endswith("s") else f"{what}s"
    return f"{count:,} {what if count == 1 else plural}"


def _time(time_ns: int) -> str:
    return "0" if time_ns == 0 else amount(time_ns, Unit.NANOSECONDS)
