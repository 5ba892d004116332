"""What a finding says besides its outcome: by what it shows, after how long, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.conformance.examine import CHECKS
from harness.conformance.flush import PIECES
from harness.conformance.timeout import LONGEST_TRIED_S, unasked, with_a_timeout
from results.conformance.findings import Finding
from results.conformance.questions import Check, Outcome
from results.errors import MeasurementError
from tests.harness.conformance.tiny_errors import EndsErrors, Resets
from tests.harness.conformance.tiny_framing import (
    CountsErrors,
    Lingers,
    Plain,
    SendsAll,
    Swallows,
    SwallowsSome,
)
from tests.harness.conformance.tiny_server import Tiny
from tests.harness.conformance.tiny_time import Collects, Greedy, Mute, TimesOut
from tests.harness.conformance.truths import Asked, Truth, subject

#: Whatever the tests look at, asked side by side: most of it sleeps.
LOOKED_AT = {
    (kind, check): Truth(kind, check)
    for check, kinds in {
        Check.ERROR: (Tiny, EndsErrors, CountsErrors, Plain, Resets),
        Check.FRAMING: (SendsAll, Lingers, Tiny, Swallows, SwallowsSome),
        Check.FLUSH: (Collects, Tiny),
        Check.STALL: (Greedy, Tiny),
        Check.TIMEOUT: (Tiny, TimesOut),
    }.items()
    for kind in kinds
}

Found = Callable[[type[Tiny], Check], dict[str, Finding]]


@pytest.fixture(scope="module")
def found(asked: Asked) -> Found:
    for truth in LOOKED_AT.values():
        asked.begin(truth)
    return lambda kind, check: asked(LOOKED_AT[kind, check])


def number(finding: Finding, name: str) -> float:
    value = finding.evidence[name]
    assert value is not None
    return value


def test_how_an_error_shows_is_noted(found: Found) -> None:
    notes = {
        kind: {name: finding.note for name, finding in found(kind, Check.ERROR).items()}
        for kind in (Tiny, EndsErrors, CountsErrors, Plain, Resets)
    }
    assert notes[Tiny]["error.first"] == ""
    assert notes[Tiny]["error.middle"] == "no last chunk"
    assert notes[Tiny]["error.sized"] == "bytes missing"
    assert notes[Tiny]["error.old"] == notes[Plain]["error.middle"] == "closed"
    assert notes[EndsErrors]["error.middle"] == "with a last chunk"
    assert notes[CountsErrors]["error.sized"] == "with its length"
    assert set(notes[Resets].values()) == {"reset", ""}, "close() has none"


def test_an_end_that_comes_soon_has_no_time_and_one_that_does_not_has_its_own(found: Found) -> None:
    soon = found(Tiny, Check.FRAMING)["framing.fewer"]
    late = found(Lingers, Check.FRAMING)["framing.fewer"]
    never = found(SendsAll, Check.FRAMING)["framing.fewer"]
    assert (soon.figures, soon.evidence["late_s"], soon.evidence["asked"]) == ("", None, 20)
    # from when the last piece was read, which on a busy machine is a while after it was sent
    assert number(late, "late_s") >= Lingers.linger_s / 2
    assert late.figures == f"after {number(late, 'late_s'):.0f} s"
    assert late.evidence["asked"] == 1, "it takes long enough"
    assert number(never, "late_s") > Lingers.linger_s


def test_how_many_of_the_short_ones_got_no_answer_is_told(found: Found) -> None:
    some = found(SwallowsSome, Check.FRAMING)["framing.fewer"]
    none = found(Swallows, Check.FRAMING)["framing.fewer"]
    assert some.figures == "10 of 20 not answered"
    assert (some.evidence["asked"], some.evidence["unanswered"]) == (20, 10)
    assert (none.figures, none.evidence["unanswered"], none.evidence["most_body_bytes"]) == ("", 20, None)


def test_the_pieces_are_those_that_the_witness_wrote_down(found: Found) -> None:
    """A piece that is held arrives when the last one was yielded; one that is not, within its gap."""
    held = found(Collects, Check.FLUSH)["flush.small"]
    prompt = found(Tiny, Check.FLUSH)["flush.small"]
    assert (held.evidence["early_pieces"], prompt.evidence["early_pieces"]) == (0, PIECES - 1)
    assert number(held, "lag_p50_ns") > number(prompt, "lag_p50_ns")


def test_what_is_held_for_a_reader_that_stands_still_is_memory(found: Found) -> None:
    greedy = found(Greedy, Check.STALL)["stall.buffer"]
    blocking = found(Tiny, Check.STALL)["stall.buffer"]
    assert number(greedy, "handed_over_bytes") == 64 << 20
    assert number(blocking, "handed_over_bytes") < 32 << 20
    assert number(greedy, "rss_growth_bytes") > 32 << 20


def test_a_stream_is_as_long_as_its_timeout_wants_it_and_both_are_told(found: Found) -> None:
    (whole,) = found(Tiny, Check.TIMEOUT).values()
    assert number(whole, "lasted_s") > number(whole, "timeout_s") == 1
    assert whole.figures == "timeout 1 s"
    (cut,) = found(TimesOut, Check.TIMEOUT).values()
    assert number(cut, "lasted_s") < number(whole, "lasted_s")
    assert cut.figures == f"timeout 1 s, after {number(cut, 'lasted_s'):.1f} s"


def test_a_timeout_that_is_given_is_respected() -> None:
    in_force: dict[str, str | int] = {"worker_class": "sync", "timeout_s": 30}
    assert with_a_timeout({}, in_force) == {"timeout_s": 1}
    assert with_a_timeout({"timeout_s": 7}, in_force) == {"timeout_s": 7}
    assert with_a_timeout({"timeout_s": 0}, in_force) == {"timeout_s": 0}
    assert with_a_timeout({"threads": 4}, {"threads": 4}) == {"threads": 4}
    assert unasked({"timeout_s": LONGEST_TRIED_S}) is None
    far = unasked({"timeout_s": LONGEST_TRIED_S + 1})
    assert far is not None
    assert (far.outcome, far.figures) == (Outcome.NOT_TRIED, "21 s")
    for none in ({"timeout_s": 0}, {"threads": 4}):
        told = unasked(none)
        assert told is not None
        assert told.outcome is Outcome.NONE


@pytest.mark.usefixtures("hurried")
def test_what_cannot_be_told_is_no_answer(tmp_path: Path) -> None:
    for check in (Check.FLUSH, Check.FRAMING, Check.HANG_UP, Check.HEAD):
        with subject(Mute, tmp_path / check) as asked, pytest.raises(MeasurementError):
            CHECKS[check](asked)
