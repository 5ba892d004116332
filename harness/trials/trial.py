"""One trial: a fresh server, one case's load, and everything that was seen, as one record."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from analysis.trial.figures import figures_of_trial
from analysis.trial.floors import floors_of
from harness.loading.leaving import leaving_of
from harness.loading.line import LineGone
from harness.loading.load import LoadFailed, LoadGivenUp
from harness.loading.merging import RecordsLost
from harness.probes.memory_kills import MemoryKills
from harness.probes.pss import with_reason
from harness.probes.watch import NotReadable, ServerChanged, ServerWatch
from harness.programs.ports import HOST
from harness.programs.processes import StartError, SupervisorDied
from harness.redaction import Redaction
from harness.servers.proxying import ProxyFailed
from harness.servers.serving import RunningServer, ServerFailed, last_words
from harness.suites.matrix import PlannedCase
from harness.trials.downfall import downfall
from harness.trials.validity import Broken, broken_rules, told
from harness.trials.verify import address_of, small_address
from harness.trials.workshop import Workshop
from results.errors import MeasurementError
from results.faults import Fault
from results.records import (
    AS_PLANNED,
    COLUMN,
    LoadRecord,
    ServerRecord,
    Slot,
    TrialRecord,
    Verification,
)
from scenarios.schedule import schedule_seed
from scenarios.specification import Arrivals, HangUp, Soak, TrialSpecification


class Measurer(Protocol):
    """Measures one slot of the plan; a run is tested with one that waits for nothing."""

    def __call__(self, slot: Slot, planned: PlannedCase, expected: Verification) -> TrialRecord:
        """The trial's record. A server or load that failed is a record with a reason."""


class TrialMeasurer:
    """The real measurer; ``seed`` is the run's."""

    def __init__(self, shop: Workshop, *, seed: int, warmup_s: float, window_s: float) -> None:
        self._shop = shop
        self._seed = seed
        self._warmup_s = warmup_s
        self._window_s = window_s

    def __call__(self, slot: Slot, planned: PlannedCase, expected: Verification) -> TrialRecord:
        """Start, wait until ready, reset, warm up, load for the window, drain, read, stop.

        Raises LoadGivenUp, SupervisorDied and LineGone: without these parts no further trial can be measured.
        """
        started_utc = datetime.now(UTC).isoformat(timespec="milliseconds")
        started_ns = time.monotonic_ns()

        def record(broken: Sequence[Broken], words: str = "", **seen: object) -> TrialRecord:
            fault, reason = told(broken)
            return TrialRecord(
                slot.position,
                started_utc,
                started_ns,
                time.monotonic_ns(),
                None if reason is None else reason + words,
                fault=fault,
                **seen,  # type: ignore[arg-type]
            )

        redaction = Redaction.of_targets([planned.target])
        try:
            return redaction.trial(self._measure(slot, planned, expected, record))
        except (SupervisorDied, LoadGivenUp, LineGone):
            raise
        except MeasurementError as error:
            return redaction.trial(record([Broken(fault_of(error), str(error))]))

    def _measure(
        self,
        slot: Slot,
        planned: PlannedCase,
        expected: Verification,
        record: Callable[..., TrialRecord],
    ) -> TrialRecord:
        self._shop.over_line_of(planned)
        with self._shop.serving(planned) as server:
            asked = self._specification(slot, planned, expected, server)
            kills = MemoryKills(server.pid)
            before = self._shop.dropped_on_line_of(planned)
            if server.pid is None:
                load, seen, changed = self._shop.driver.run(asked), None, None
            else:
                load, seen, changed = self._watched(server.pid, server.ran_as, asked)
            after = self._shop.dropped_on_line_of(planned)
            broken = [*downfall(server, changed, kills), *broken_rules(load, seen)]
            output = server.output()
        return record(
            broken,
            last_words(output) if broken and _failed(load) else "",
            load=load,
            server=seen,
            figures=figures_of_trial(load, seen),
            server_output=output,
            line_drops=None if before is None or after is None else after.since(before),
            floors=floors_of(load, seen) if isinstance(planned.load, Soak) and seen is not None else (),
        )

    def _watched(
        self, pid: int, ran_as: str | None, asked: TrialSpecification
    ) -> tuple[LoadRecord, ServerRecord | None, ServerChanged | None]:
        """The load, what was seen of the server meanwhile, or why nothing can be told of it."""
        watch = ServerWatch(pid, self._shop.cores.server, self._shop.cores.load)
        # others that are alone are not to be held up by a reading of PSS
        watch.reset(self._warmup_s, after_s=0.0 if asked.others is None else _lead_s(asked, asked.others))
        try:
            load = self._shop.driver.run(asked)
            return load, with_reason(watch.read(ran_as), load), None
        except ServerChanged as error:
            return load, None, error
        finally:
            watch.close()

    def _specification(
        self, slot: Slot, planned: PlannedCase, expected: Verification, server: RunningServer
    ) -> TrialSpecification:
        assert expected.status is not None  # noqa: S101  - verify lets no other case through
        seed = schedule_seed(self._seed, slot.block)
        return TrialSpecification(
            address=address_of(planned, server.port, server.host),
            name=planned.case.identity,
            load=planned.load,
            warmup_s=self._warmup_s,
            window_s=self._window_s,
            status=expected.status,
            body_bytes=expected.body_bytes,
            digest=int(expected.digest, 16) if planned.target.check == "bytes" else None,
            row_marker=planned.target.row_marker,
            schedule_seed=seed,
            others=others_beside(
                planned,
                expected,
                server.port,
                warmup_s=self._warmup_s,
                window_s=self._window_s,
                seed=seed,
                host=server.host,
            ),
            leaving=leaving_of(planned, expected),
            small=small_address(planned, server.port, server.host)
            if isinstance(planned.load, HangUp)
            else None,
        )


def fault_of(error: MeasurementError) -> Fault:
    """By what a trial failed of which there is no load."""
    match error:
        case LoadFailed():
            return error.fault
        case RecordsLost():
            return Fault.RECORDS_LOST
        case ProxyFailed():
            return Fault.PROXY_FAILED
        case ServerFailed() | StartError():
            return Fault.SERVER_DID_NOT_START
        case ServerChanged() if not isinstance(error, NotReadable):
            return Fault.SERVER_DIED
        case _:
            return Fault.NOT_MEASURED


def others_beside(
    planned: PlannedCase,
    expected: Verification,
    port: int,
    *,
    warmup_s: float,
    window_s: float,
    seed: str,
    host: str = HOST,
) -> TrialSpecification | None:
    """What others ask beside a trial of this case with this warm-up and window; None where nobody does."""
    others = planned.others
    if others is None:
        return None
    assert expected.others_status is not None  # noqa: S101  - verify lets no other case through
    assert expected.others_body_bytes is not None  # noqa: S101
    return TrialSpecification(
        address=replace(small_address(planned, port, host), timeout_s=others.patience_s),
        name=f"others beside {planned.case.identity}",
        load=Arrivals(others.rate, "poisson", others.most_in_flight),
        warmup_s=others.alone_s + warmup_s,
        window_s=window_s,
        status=expected.others_status,
        body_bytes=expected.others_body_bytes,
        digest=None if expected.others_digest is None else int(expected.others_digest, 16),
        schedule_seed=seed,
    )


def _lead_s(streams: TrialSpecification, others: TrialSpecification) -> float:
    """For how long the others are alone, in seconds."""
    return others.warmup_s - streams.warmup_s


def _failed(load: LoadRecord) -> bool:
    """Whether a response failed: then the server may have said why."""
    return not np.isin(load.requests[:, COLUMN["outcome"]], [*AS_PLANNED]).all()
