"""A stream that takes longer than the server gives its workers for a sign of life."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from harness.conformance.error import how
from harness.conformance.subject import PATIENCE_S, Subject
from harness.conformance.wire import End
from results.conformance.findings import Finding
from results.conformance.questions import Outcome
from results.errors import MeasurementError

#: The shortest such timeout of each kind that has one; the others know none.
SHORTEST: Mapping[str, Mapping[str, int]] = MappingProxyType({"gunicorn": {"timeout_s": 1}})
_BYTES = 10
#: 4 s. gunicorn's master looks for silent workers once a second (arbiter.py).
_PIECES, _GAP_MS = 40, 100


def timeout(subject: Subject) -> list[Finding]:
    """What a client sees of it, on a server that has its shortest timeout. Raises MeasurementError."""
    with subject.visit(pieces=_PIECES, bytes=_BYTES, gap_ms=_GAP_MS) as visit:
        response = visit.read()
        lasted_s = (response.arrivals[-1][0] - visit.sent_ns) / 1e9 if response.arrivals else 0.0
    got = len(response.body)
    evidence = {"body_bytes": got, "lasted_s": lasted_s}
    if got == _PIECES * _BYTES and response.whole:
        return [Finding("timeout.stream", Outcome.WHOLE, evidence=evidence)]
    if response.end is End.QUIET:
        raise MeasurementError(f"a slow stream stood still for {PATIENCE_S:g} s and was not closed")
    outcome = Outcome.SILENT if response.whole else Outcome.CUT_OFF
    return [
        Finding(
            "timeout.stream",
            outcome,
            note=how(response),
            figures=f"after {lasted_s:.1f} s",
            evidence=evidence,
        )
    ]


def without_timeout() -> list[Finding]:
    """The answer of a kind that has none."""
    return [Finding("timeout.stream", Outcome.NONE)]
