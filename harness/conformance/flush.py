"""Whether each piece that the app yields is sent at once, or waits for the next one."""

from __future__ import annotations

import statistics
from itertools import pairwise

from analysis.table import amount
from harness.conformance.subject import PATIENCE_S, Subject
from harness.conformance.testimony import Account
from harness.conformance.wire import Response
from results.conformance.findings import Finding
from results.conformance.questions import Outcome
from results.errors import MeasurementError
from results.metrics import Unit

PIECES = 8
GAP_MS = 40
SIZES_BYTES = {"flush.small": 10, "flush.large": 8192}
#: A machine that is busy may be late by a gap; a server that holds back does so each time.
_ATTEMPTS = 3


def flush(subject: Subject) -> list[Finding]:
    """The pieces of both sizes, and an empty one. Raises MeasurementError."""
    return [*(_flushed(subject, name, size) for name, size in SIZES_BYTES.items()), _empty(subject)]


def _flushed(subject: Subject, question: str, size: int) -> Finding:
    """Of several attempts the best one."""
    best: tuple[int, Finding] | None = None
    for _ in range(_ATTEMPTS):
        with subject.visit(pieces=PIECES, bytes=size, gap_ms=GAP_MS) as visit:
            response = visit.read()
            if not response.whole or len(response.body) != PIECES * size:
                raise MeasurementError(
                    f"{len(response.body)} bytes of {PIECES * size} arrived of a stream that did not fail"
                )
            early, finding = judged(question, response, visit.account, size)
        if best is None or early > best[0]:
            best = early, finding
        if finding.outcome is Outcome.AT_ONCE:
            break
    assert best is not None  # noqa: S101  - there was an attempt
    return best[1]


def judged(question: str, response: Response, account: Account, size: int) -> tuple[int, Finding]:
    """How many pieces were there before the next one was yielded, and what this says.

    Each piece's last byte counts. The lag is from just before the yield to the read that brought it (ns).
    """
    yields = [event.instant_ns for event in account.yields]
    arrived = [_instant(response, (number + 1) * size) for number in range(len(yields))]
    early = sum(there < following for there, (_, following) in zip(arrived, pairwise(yields), strict=False))
    lag_ns = statistics.median(there - given for there, given in zip(arrived, yields, strict=True))
    outcome = Outcome.PARTLY if early else Outcome.HELD
    if early == len(yields) - 1:
        outcome = Outcome.AT_ONCE
    evidence = {"early_pieces": early, "pieces": len(yields), "lag_p50_ns": lag_ns}
    figures = amount(lag_ns, Unit.NANOSECONDS)
    if outcome is Outcome.PARTLY:
        figures = f"{early} of {len(yields) - 1}, {figures}"
    return early, Finding(question, outcome, figures=figures, evidence=evidence)


def _instant(response: Response, count: int) -> int:
    return next(instant for instant, so_far in response.arrivals if so_far >= count)


def _empty(subject: Subject) -> Finding:
    """What a first ``yield b""`` sends, a gap before the first piece."""
    with subject.visit(pieces=1, empty=1, gap_ms=5 * GAP_MS) as visit:
        response = visit.read(PATIENCE_S)
        first = next(event for event in visit.account.yields if event.value)
    if not response.whole or response.head_ns is None:
        raise MeasurementError("the response with an empty first piece did not arrive")
    sent = response.head_ns < first.instant_ns
    return Finding(
        "flush.empty",
        Outcome.HEADERS if sent else Outcome.NOTHING,
        evidence={"headers_before_first_piece_ns": first.instant_ns - response.head_ns},
    )
