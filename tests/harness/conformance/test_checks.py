"""Each check on a server that does all right, and on others that each do one thing wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import pytest

from harness.conformance.examine import CHECKS
from harness.conformance.flush import PIECES
from harness.conformance.subject import Subject
from results.conformance.findings import Finding
from results.conformance.questions import QUESTIONS, Check, Grade, Outcome
from results.errors import MeasurementError
from tests.harness.conformance.tiny_server import (
    ChunksAnybody,
    Collects,
    Deaf,
    EagerHeaders,
    EndsErrors,
    GivesUp,
    Greedy,
    Hasty,
    HeadLikeGet,
    HoldsTwo,
    Mute,
    NeverCloses,
    OneAtATime,
    SendsAll,
    Tiny,
)

SubjectOn = Callable[[type[Tiny]], AbstractContextManager[Subject]]
pytestmark = pytest.mark.usefixtures("hurried")

#: What the right server does: of the outcomes that break no rule, those that cost the app nothing.
RIGHT = {
    "flush.small": Outcome.AT_ONCE,
    "flush.large": Outcome.AT_ONCE,
    "flush.empty": Outcome.NOTHING,
    "framing.unsized": Outcome.CHUNKED,
    "framing.unsized_then": Outcome.KEPT,
    "framing.sized": Outcome.LENGTH,
    "framing.sized_then": Outcome.KEPT,
    "framing.old": Outcome.CLOSE,
    "framing.fewer": Outcome.SEEN,
    "framing.more": Outcome.LEFT_OUT,
    "error.first": Outcome.ERROR_STATUS,
    "error.middle": Outcome.SEEN,
    "error.sized": Outcome.SEEN,
    "error.old": Outcome.SILENT,
    "error.close": Outcome.CALLED,
    "hang-up.busy": Outcome.CALLED,
    "hang-up.asleep": Outcome.AT_A_YIELD,
    "hang-up.next": Outcome.SERVED,
    "head.body": Outcome.NONE,
    "head.generator": Outcome.RUN,
    "head.close": Outcome.CALLED,
    "head.then": Outcome.KEPT,
    "stall.buffer": Outcome.BLOCKS,
    "stall.others": Outcome.SERVED,
    "stall.rest": Outcome.WHOLE,
    "timeout.stream": Outcome.WHOLE,
    "wsgi.write": Outcome.AT_ONCE,
    "wsgi.late": Outcome.SEEN,
    "wsgi.one": Outcome.CHUNKED,
    "wsgi.file_wrapper": Outcome.THERE,
    "wsgi.close": Outcome.CALLED,
}


def outcomes(subject_on: SubjectOn, kind: type[Tiny], check: Check) -> Mapping[str, Finding]:
    with subject_on(kind) as subject:
        return {finding.question: finding for finding in CHECKS[check](subject)}


def right(check: Check) -> dict[str, Outcome]:
    return {name: outcome for name, outcome in RIGHT.items() if QUESTIONS[name].check is check}


@pytest.mark.parametrize("check", CHECKS)
def test_a_right_server_passes(subject_on: SubjectOn, check: Check) -> None:
    found = outcomes(subject_on, Tiny, check)
    assert {name: finding.outcome for name, finding in found.items()} == right(check)
    assert all(finding.grade is not Grade.BROKEN for finding in found.values())


def test_every_question_is_asked() -> None:
    assert RIGHT.keys() == QUESTIONS.keys()


@pytest.mark.parametrize(
    ("kind", "check", "wrong"),
    [
        (Collects, Check.FLUSH, {"flush.small": Outcome.HELD, "flush.large": Outcome.HELD}),
        (HoldsTwo, Check.FLUSH, {"flush.small": Outcome.PARTLY, "flush.large": Outcome.PARTLY}),
        (EagerHeaders, Check.FLUSH, {"flush.empty": Outcome.HEADERS}),
        (Collects, Check.WSGI, {"wsgi.write": Outcome.HELD}),
        (Hasty, Check.WSGI, {"wsgi.late": Outcome.MISSING}),
        (NeverCloses, Check.WSGI, {"wsgi.close": Outcome.NOT_CALLED}),
        (
            SendsAll,
            Check.FRAMING,
            {"framing.fewer": Outcome.WAITS, "framing.more": Outcome.SPOILT},
        ),
        (
            OneAtATime,
            Check.FRAMING,
            {"framing.unsized_then": Outcome.CLOSED, "framing.sized_then": Outcome.CLOSED},
        ),
        (
            EndsErrors,
            Check.ERROR,
            {"error.first": Outcome.SILENT, "error.middle": Outcome.SILENT},
        ),
        (NeverCloses, Check.ERROR, {"error.close": Outcome.NOT_CALLED}),
        (
            Deaf,
            Check.HANG_UP,
            {"hang-up.busy": Outcome.TO_THE_END, "hang-up.asleep": Outcome.TO_THE_END},
        ),
        (
            NeverCloses,
            Check.HANG_UP,
            {"hang-up.busy": Outcome.NOT_CALLED, "hang-up.asleep": Outcome.NOT_CALLED},
        ),
        (OneAtATime, Check.HANG_UP, {"hang-up.next": Outcome.WAITS}),
        (Collects, Check.HANG_UP, {"hang-up.busy": Outcome.HELD, "hang-up.asleep": Outcome.HELD}),
        (HeadLikeGet, Check.HEAD, {"head.body": Outcome.SENT, "head.then": Outcome.SPOILT}),
        (NeverCloses, Check.HEAD, {"head.close": Outcome.NOT_CALLED}),
        (Greedy, Check.STALL, {"stall.buffer": Outcome.TAKES_ALL}),
        (OneAtATime, Check.STALL, {"stall.others": Outcome.WAITS}),
        (GivesUp, Check.STALL, {"stall.rest": Outcome.CUT_OFF}),
        (GivesUp, Check.TIMEOUT, {"timeout.stream": Outcome.CUT_OFF}),
    ],
    ids=lambda value: getattr(value, "__name__", None) or (value if isinstance(value, Check) else ""),
)
def test_a_fault_is_found_and_nothing_else(
    subject_on: SubjectOn, kind: type[Tiny], check: Check, wrong: dict[str, Outcome]
) -> None:
    found = outcomes(subject_on, kind, check)
    assert {name: finding.outcome for name, finding in found.items()} == right(check) | wrong


def test_chunks_to_a_client_of_http_1_0_are_found_and_hide_an_error_from_it(subject_on: SubjectOn) -> None:
    framed = outcomes(subject_on, ChunksAnybody, Check.FRAMING)
    assert framed["framing.old"].outcome is Outcome.CHUNKED
    assert framed["framing.old"].grade is Grade.BROKEN
    assert outcomes(subject_on, ChunksAnybody, Check.ERROR)["error.old"].outcome is Outcome.SILENT


def test_how_an_error_shows_is_noted(subject_on: SubjectOn) -> None:
    seen = outcomes(subject_on, Tiny, Check.ERROR)
    assert seen["error.middle"].note == "no last chunk"
    assert seen["error.sized"].note == "bytes missing"
    assert seen["error.old"].note == "closed"
    hidden = outcomes(subject_on, EndsErrors, Check.ERROR)["error.middle"]
    assert (hidden.note, hidden.grade) == ("with a last chunk", Grade.BROKEN)


def test_the_evidence_is_that_of_the_witness(subject_on: SubjectOn) -> None:
    """A piece that is held arrives when the last one was yielded; one that is not, within its gap."""
    held = outcomes(subject_on, Collects, Check.FLUSH)["flush.small"].evidence
    prompt = outcomes(subject_on, Tiny, Check.FLUSH)["flush.small"].evidence
    assert (held["early_pieces"], prompt["early_pieces"]) == (0, PIECES - 1)
    assert held["lag_p50_ns"] is not None
    assert prompt["lag_p50_ns"] is not None
    assert held["lag_p50_ns"] > prompt["lag_p50_ns"]
    greedy = outcomes(subject_on, Greedy, Check.STALL)["stall.buffer"].evidence
    blocking = outcomes(subject_on, Tiny, Check.STALL)["stall.buffer"].evidence
    assert greedy["handed_over_bytes"] == 64 << 20
    assert blocking["handed_over_bytes"] is not None
    assert blocking["handed_over_bytes"] < 32 << 20
    assert greedy["rss_growth_bytes"] is not None
    assert greedy["rss_growth_bytes"] > 32 << 20


def test_what_cannot_be_told_is_no_answer(subject_on: SubjectOn) -> None:
    for check in (Check.FLUSH, Check.FRAMING, Check.HANG_UP, Check.HEAD):
        with subject_on(Mute) as subject, pytest.raises(MeasurementError):
            CHECKS[check](subject)
