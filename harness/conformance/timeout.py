"""A stream that takes longer than the server gives its workers for a sign of life."""

from __future__ import annotations

from collections.abc import Mapping

from harness.conformance.ending import how
from harness.conformance.subject import PATIENCE_S, Subject
from harness.conformance.wire import End
from results.conformance.findings import Finding
from results.conformance.questions import Outcome
from results.errors import MeasurementError

#: The option of the kinds that have such a timeout; 0 turns it off.
OPTION = "timeout_s"
#: What such a server is given where its user has given nothing: its shortest.
SHORTEST_S = 1
#: A longer one is not waited for.
LONGEST_TRIED_S = 20
#: By how much the stream outlasts it. gunicorn's master looks for silent workers once a second (arbiter.py).
_BEYOND_S = 3.0
_BYTES = 10
_GAP_MS = 100


def with_a_timeout(given: Mapping[str, str | int], in_force: Mapping[str, str | int]) -> dict[str, str | int]:
    """The options to ask with: as ``given``, and the shortest timeout where the kind has one and none is."""
    shortest = {OPTION: SHORTEST_S} if OPTION in in_force else {}
    return {**shortest, **given}


def unasked(in_force: Mapping[str, str | int]) -> Finding | None:
    """The answer where no stream has to be sent for it: no timeout, or one too long to be tried."""
    timeout_s = int(in_force.get(OPTION, 0))
    if not timeout_s:
        return Finding("timeout.stream", Outcome.NONE)
    if timeout_s > LONGEST_TRIED_S:
        return Finding("timeout.stream", Outcome.NOT_TRIED, figures=f"{timeout_s} s")
    return None


def timeout(subject: Subject) -> list[Finding]:
    """What a client sees of a stream that outlasts the timeout in force. Raises MeasurementError."""
    if told := unasked(subject.options):
        return [told]
    timeout_s = int(subject.options[OPTION])
    pieces = 1 + round((timeout_s + _BEYOND_S) * 1000 / _GAP_MS)
    with subject.visit(pieces=pieces, bytes=_BYTES, gap_ms=_GAP_MS) as visit:
        response = visit.read()
        lasted_s = (response.arrivals[-1][0] - visit.sent_ns) / 1e9 if response.arrivals else 0.0
    got = len(response.body)
    evidence = {"body_bytes": got, "lasted_s": lasted_s, "timeout_s": timeout_s}
    figures = f"timeout {timeout_s} s"
    if got == pieces * _BYTES and response.whole:
        return [Finding("timeout.stream", Outcome.WHOLE, figures=figures, evidence=evidence)]
    if response.end is End.QUIET:
        raise MeasurementError(f"a slow stream stood still for {PATIENCE_S:g} s and was not closed")
    return [
        Finding(
            "timeout.stream",
            Outcome.SILENT if response.whole else Outcome.CUT_OFF,
            note=how(response),
            figures=f"{figures}, after {lasted_s:.1f} s",
            evidence=evidence,
        )
    ]
