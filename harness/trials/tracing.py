"""One traced trial: a fresh server with the ledger around its app, and a few requests, one after another."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from analysis.trial.hang_ups import hang_up_trace
from analysis.trial.tracing import figures_of_trace, joined, note_of, traced_request, waterfall_of
from harness.loading.leaving import leaving_of
from harness.loading.line import LineGone
from harness.loading.load import LoadGivenUp, TracedLoad
from harness.probes.watch import ServerWatch
from harness.programs.ports import HOST
from harness.programs.processes import SupervisorDied
from harness.redaction import Redaction
from harness.servers.serving import RunningServer, last_words
from harness.servers.wrapping import around, with_middleware
from harness.suites.matrix import PlannedCase
from harness.trials.ledger_file import await_ledger
from harness.trials.validity import clock_step
from harness.trials.verify import address_of
from harness.trials.workshop import Workshop
from results.errors import MeasurementError
from results.records import COLUMN, MemorySample, Verification
from results.trace import Trace
from scenarios.specification import HangUp, TraceSpecification
from targets import ledger, stamps
from targets.middleware import NONE

#: Requests after the warm-up; fewer, but one at least, where these take longer than LONGEST_S.
REQUESTS = 5
LONGEST_S = 1.5
#: How long a record may lag behind the last byte of its response: close() may have much to tidy up.
_PATIENCE_S = 3.0


class Tracer(Protocol):
    """Traces one case; a run is tested with one that waits for nothing."""

    def __call__(self, planned: PlannedCase, expected: Verification) -> Trace:
        """The case's traced trial. A server or response that failed is a record with a reason."""


class TraceFailed(MeasurementError):  # noqa: N818  - named for what happened
    """A traced trial that shows nothing."""


class CaseTracer:
    """The real tracer."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    def __call__(self, planned: PlannedCase, expected: Verification) -> Trace:
        """Start the server with the ledger, ask, join both sides' books, stop.

        Raises LoadGivenUp, SupervisorDied and LineGone: without these parts nothing more can be measured.
        """
        started_utc = datetime.now(UTC).isoformat(timespec="milliseconds")
        identity = planned.case.identity
        redaction = Redaction.of_targets([planned.target])
        try:
            return redaction.trace(self._trace(planned, expected, started_utc))
        except (SupervisorDied, LoadGivenUp, LineGone):
            raise
        except MeasurementError as error:
            return redaction.trace(Trace(identity, started_utc, str(error)))

    def _trace(self, planned: PlannedCase, expected: Verification, started_utc: str) -> Trace:
        identity = planned.case.identity
        self._shop.over_line_of(planned)
        with (
            ledger_around(planned, self._shop.folder) as wrapped,
            self._shop.serving(wrapped.planned) as server,
        ):
            load, samples = self._watched(server, specification(planned, expected, server.port, server.host))
            if load.failure is not None:
                fallen = server.fallen()
                raise TraceFailed(
                    f"{f'{fallen}; ' if fallen else ''}"
                    f"request {len(load.requests)} of the traced trial failed: {load.failure}"
                    + last_words(server.output())
                )
            if stepped := clock_step(load.clock_drift_ns, load.clock_span_ns):
                raise TraceFailed(stepped)
            since_ns, count = int(load.requests[0, COLUMN["sent_ns"]]), len(load.requests)
            found = await_ledger(wrapped.records, since_ns=since_ns, count=count, patience_s=_PATIENCE_S)
            output = server.output()
        items = joined(load.requests, load.reads, found, load.wire_reads)
        if isinstance(planned.load, HangUp):
            return hang_up_trace(identity, started_utc, items, count, samples)
        if len(items) < count:
            raise TraceFailed(
                f"the ledger has no record, or no single one, of {count - len(items)} of {count} requests: "
                "does the server call close() on each response (PEP 3333)?" + last_words(output)
            )
        requests = [traced_request(item, samples) for item in items]
        return Trace(
            case=identity,
            started_utc=started_utc,
            reason=None,
            note="; ".join(filter(None, (note_of(items), _note_of_line(planned)))) or None,
            requests=requests,
            figures=figures_of_trace(items, requests),
            waterfall=waterfall_of(items),
        )

    def _watched(
        self, server: RunningServer, asked: TraceSpecification
    ) -> tuple[TracedLoad, list[MemorySample]]:
        """The load, and the RSS that sampling saw meanwhile, as it samples in timed trials."""
        assert server.pid is not None  # noqa: S101  - what is traced was started by us
        watch = ServerWatch(server.pid, self._shop.cores.server)
        watch.reset()
        try:
            load = self._shop.driver.trace(asked)
            return load, list(watch.read(server.ran_as).samples)
        finally:
            watch.close()


def _note_of_line(planned: PlannedCase) -> str | None:
    """Who else may have held chunks back; null where nothing is between."""
    line = planned.line
    if line is None or not line.has_queue:
        return None
    return f"asked over a line ({line.label}): what is late may have been held back by it"


def specification(
    planned: PlannedCase, expected: Verification, port: int, host: str = HOST
) -> TraceSpecification:
    """What a traced trial asks of a case, and checks, whatever its users."""
    assert expected.status is not None  # noqa: S101  - verify lets no other case through
    return TraceSpecification(
        address=address_of(planned, port, host),
        requests=REQUESTS,
        longest_s=LONGEST_S,
        status=expected.status,
        body_bytes=expected.body_bytes,
        digest=int(expected.digest, 16) if planned.target.check == "bytes" else None,
        row_marker=planned.target.row_marker,
        leaving=leaving_of(planned, expected),
    )


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A case with its app behind a ledger, and the ledger's file."""

    planned: PlannedCase
    records: Path


@contextlib.contextmanager
def ledger_around(planned: PlannedCase, folder: Path) -> Iterator[Wrapped]:
    """The case with a ledger around its app; the ledger's file is gone after the block.

    Where the case has a middleware, the ledger is around it, and the yields are stamped inside: they are the
    app's, so that what the middleware holds back is seen to be late.
    """
    records = folder / f"ledger-{secrets.token_hex(4)}"
    inside = [] if planned.middleware == NONE else [stamps]
    with with_middleware(planned, folder, inside) as whole:
        variables = {ledger.APP_VARIABLE: whole.target.served, ledger.FILE_VARIABLE: str(records)}
        if inside:
            variables[ledger.INSIDE_VARIABLE] = "1"
        try:
            with around(whole, folder, ledger, variables) as wrapped:
                yield Wrapped(wrapped, records)
        finally:
            records.unlink(missing_ok=True)
