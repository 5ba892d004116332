"""Whether, and how soon, an app learns that its client has gone."""

from __future__ import annotations

from analysis.table import amount
from harness.conformance.subject import PATIENCE_S, Subject, Visit
from harness.conformance.testimony import Account
from results.conformance.findings import Finding
from results.conformance.questions import Outcome
from results.errors import MeasurementError
from results.metrics import Unit
from targets.witness import CLOSED, ENDED

_BYTES = 100
#: A stream that goes on: 2 s of it, if nobody stops it.
_BUSY_PIECES, _BUSY_GAP_MS = 100, 20
#: One that sleeps: longer than a request that costs nothing has to wait on any machine.
_ASLEEP_PIECES, _ASLEEP_GAP_MS = 5, 500
_LONGEST_S = 5.0


def hang_up(subject: Subject) -> list[Finding]:
    """From a busy stream and from one that sleeps between its yields. Raises MeasurementError."""
    return [_busy(subject), *_asleep(subject)]


def _busy(subject: Subject) -> Finding:
    with subject.visit(pieces=_BUSY_PIECES, bytes=_BYTES, gap_ms=_BUSY_GAP_MS) as visit:
        visit.read_bytes(3 * _BYTES)
        if held := _held("hang-up.busy", visit):
            return held
        left_ns = visit.asker.hang_up()
        account = visit.await_event(CLOSED, _LONGEST_S)
    return _told("hang-up.busy", _late(account) or Outcome.CALLED, account, left_ns)


def _asleep(subject: Subject) -> list[Finding]:
    with subject.visit(pieces=_ASLEEP_PIECES, bytes=_BYTES, gap_ms=_ASLEEP_GAP_MS) as visit:
        visit.read_bytes(_BYTES)
        held = _held("hang-up.asleep", visit)
        left_ns = visit.asker.hang_up()
        answered_ns = subject.answer_time_ns(_LONGEST_S)
        answered_at_ns = None if answered_ns is None else left_ns + answered_ns
        account = visit.await_event(CLOSED, _LONGEST_S)
    awake_ns = next((event.instant_ns for event in account.yields if event.instant_ns > left_ns), None)
    noticed = Outcome.WHILE_ASLEEP if awake_ns is None else Outcome.AT_A_YIELD
    served = answered_at_ns is not None and (awake_ns is None or answered_at_ns < awake_ns)
    return [
        held or _told("hang-up.asleep", _late(account) or noticed, account, left_ns),
        Finding(
            "hang-up.next",
            Outcome.SERVED if served else Outcome.WAITS,
            figures=amount(answered_ns, Unit.NANOSECONDS) if answered_ns is not None else "no answer",
            evidence={"answer_ns": answered_ns},
        ),
    ]


def _held(question: str, visit: Visit) -> Finding | None:
    """The answer where the stream came only when it was through: there was none to leave.

    Raises MeasurementError where nothing came.
    """
    if not visit.response.body:
        raise MeasurementError(f"a stream brought nothing within {PATIENCE_S:g} s: there is none to leave")
    return Finding(question, Outcome.HELD) if visit.account.of(ENDED) else None


def _late(account: Account) -> Outcome | None:
    """The answer where ``close()`` was not called, or only when all was yielded; None elsewhere."""
    if account.closed_ns is None:
        return Outcome.NOT_CALLED
    return Outcome.TO_THE_END if account.of(ENDED) else None


def _told(question: str, outcome: Outcome, account: Account, left_ns: int) -> Finding:
    """With how many yields, and how long, it took from the hang-up to ``close()``."""
    later = sum(event.instant_ns > left_ns for event in account.yields)
    if account.closed_ns is None:
        return Finding(question, outcome, evidence={"yields_after": later, "close_ns": None})
    close_ns = account.closed_ns - left_ns
    return Finding(
        question,
        outcome,
        figures=f"{yields_in_words(later)}, {amount(close_ns, Unit.NANOSECONDS)}",
        evidence={"yields_after": later, "close_ns": close_ns},
    )


def yields_in_words(count: int) -> str:
    """So many yields."""
    return f"{count} yield{'' if count == 1 else 's'}"
