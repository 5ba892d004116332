"""What is known of the tiny servers, and what `conform` finds of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.conformance.examine import CHECKS
from harness.conformance.subject import Subject
from harness.conformance.testimony import Testimony
from results.conformance.findings import Finding
from results.conformance.questions import QUESTIONS, Check, Outcome
from targets.witness import Witness
from tests.harness.conformance.tiny_errors import (
    BeginsErrors,
    EndsErrors,
    Hangs,
    Hasty,
    HeadLikeGet,
    NeverCloses,
    NoFileWrapper,
    NoWrite,
    Resets,
    SkipsHeads,
    Slams,
    StopsHeads,
)
from tests.harness.conformance.tiny_framing import (
    Babbles,
    BreaksOff,
    ChunksAnybody,
    ChunksLengths,
    Confuses,
    Counts,
    CountsErrors,
    DropsLengths,
    Garbles,
    LeavesPiecesOut,
    Lingers,
    Overflows,
    Pads,
    Plain,
    SaysBoth,
    SendsAll,
    Strict,
    Swallows,
    SwallowsSome,
)
from tests.harness.conformance.tiny_server import Tiny
from tests.harness.conformance.tiny_time import (
    Collects,
    Deaf,
    EagerHeaders,
    GivesUp,
    GivesUpPlainly,
    Greedy,
    HoldsTwo,
    OneAtATime,
    TimesOut,
    TimesOutPlainly,
    Watches,
)

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


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What a check has to find of a server: as of the right one, but for ``wrong``."""

    kind: type[Tiny]
    check: Check
    wrong: Mapping[str, Outcome] = field(default_factory=dict)
    timeout_s: int = 1

    def __str__(self) -> str:
        limit = "" if self.timeout_s == 1 else f"-{self.timeout_s}"
        return f"{self.check}-{self.kind.__name__}{limit}"

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """By question."""
        right = {name: outcome for name, outcome in RIGHT.items() if QUESTIONS[name].check is self.check}
        return {**right, **self.wrong}

    def findings(self, folder: Path) -> dict[str, Finding]:
        """What the check finds, by question. Raises MeasurementError."""
        with subject(self.kind, folder / str(self), self.timeout_s) as asked:
            return {finding.question: finding for finding in CHECKS[self.check](asked)}


@contextmanager
def subject(kind: type[Tiny], records: Path, timeout_s: int = 1) -> Iterator[Subject]:
    """The witness under a tiny server of this kind, in this process."""
    with kind(Witness(str(records))).serving() as port:
        yield Subject(port, os.getpid(), Testimony(records), {"timeout_s": timeout_s})


def _all(check: Check, outcome: Outcome, *names: str) -> dict[str, Outcome]:
    return {f"{check}.{name}": outcome for name in names}


_O = Outcome
_CLOSES = {"framing.unsized": _O.CLOSE, "framing.unsized_then": _O.CLOSED}
TRUTHS = [
    *(Truth(Tiny, check) for check in CHECKS),
    Truth(Collects, Check.FLUSH, _all(Check.FLUSH, _O.HELD, "small", "large")),
    Truth(HoldsTwo, Check.FLUSH, _all(Check.FLUSH, _O.PARTLY, "small", "large")),
    Truth(EagerHeaders, Check.FLUSH, {"flush.empty": _O.HEADERS}),
    Truth(Plain, Check.FRAMING, _CLOSES),
    Truth(
        Counts,
        Check.FRAMING,
        {
            **_all(Check.FRAMING, _O.LENGTH, "unsized", "old"),
            "framing.fewer": _O.SILENT,
            "framing.more": _O.SENT,
        },
    ),
    Truth(
        Strict,
        Check.FRAMING,
        {
            **_all(Check.FRAMING, _O.LENGTH, "unsized", "old"),
            **_all(Check.FRAMING, _O.ERROR_STATUS, "fewer", "more"),
        },
    ),
    Truth(
        ChunksLengths,
        Check.FRAMING,
        {"framing.sized": _O.CHUNKED, "framing.fewer": _O.SILENT, "framing.more": _O.SENT},
    ),
    Truth(
        SaysBoth,
        Check.FRAMING,
        {"framing.sized": _O.BOTH, "framing.fewer": _O.SILENT, "framing.more": _O.SENT},
    ),
    Truth(
        DropsLengths,
        Check.FRAMING,
        {
            **_CLOSES,
            "framing.sized": _O.CLOSE,
            "framing.sized_then": _O.CLOSED,
            "framing.fewer": _O.SILENT,
            "framing.more": _O.SENT,
        },
    ),
    Truth(ChunksAnybody, Check.FRAMING, {"framing.old": _O.CHUNKED}),
    Truth(
        Garbles,
        Check.FRAMING,
        _all(Check.FRAMING, _O.SPOILT, "unsized", "sized", "old", "fewer", "more"),
    ),
    Truth(Babbles, Check.FRAMING, _all(Check.FRAMING, _O.SPOILT, "unsized_then", "sized_then", "more")),
    Truth(Confuses, Check.FRAMING, _all(Check.FRAMING, _O.SPOILT, "unsized_then", "sized_then", "more")),
    Truth(OneAtATime, Check.FRAMING, _all(Check.FRAMING, _O.CLOSED, "unsized_then", "sized_then")),
    Truth(SendsAll, Check.FRAMING, {"framing.fewer": _O.WAITS, "framing.more": _O.SPOILT}),
    Truth(Overflows, Check.FRAMING, {"framing.more": _O.SENT}),
    Truth(LeavesPiecesOut, Check.FRAMING, {"framing.more": _O.WAITS}),
    Truth(BreaksOff, Check.FRAMING, {"framing.more": _O.CUT_OFF}),
    Truth(Pads, Check.FRAMING, {"framing.fewer": _O.SPOILT}),
    Truth(Lingers, Check.FRAMING, {"framing.fewer": _O.LATE}),
    Truth(Swallows, Check.FRAMING, {"framing.fewer": _O.NO_ANSWER}),
    Truth(SwallowsSome, Check.FRAMING, {"framing.fewer": _O.MIXED}),
    Truth(EndsErrors, Check.ERROR, _all(Check.ERROR, _O.SILENT, "first", "middle")),
    Truth(CountsErrors, Check.ERROR, _all(Check.ERROR, _O.SILENT, "first", "middle", "sized")),
    Truth(ChunksAnybody, Check.ERROR),
    Truth(Plain, Check.ERROR, {"error.middle": _O.SILENT}),
    Truth(BeginsErrors, Check.ERROR, {"error.first": _O.SEEN}),
    Truth(Slams, Check.ERROR, {"error.first": _O.NO_ANSWER}),
    Truth(Resets, Check.ERROR, {"error.first": _O.NO_ANSWER, "error.old": _O.SEEN}),
    Truth(Hangs, Check.ERROR, _all(Check.ERROR, _O.WAITS, "first", "middle", "sized", "old")),
    Truth(NeverCloses, Check.ERROR, {"error.close": _O.NOT_CALLED}),
    Truth(Deaf, Check.HANG_UP, _all(Check.HANG_UP, _O.TO_THE_END, "busy", "asleep")),
    Truth(NeverCloses, Check.HANG_UP, _all(Check.HANG_UP, _O.NOT_CALLED, "busy", "asleep")),
    Truth(Collects, Check.HANG_UP, _all(Check.HANG_UP, _O.HELD, "busy", "asleep")),
    Truth(OneAtATime, Check.HANG_UP, {"hang-up.next": _O.WAITS}),
    Truth(Watches, Check.HANG_UP, {"hang-up.asleep": _O.WHILE_ASLEEP}),
    Truth(HeadLikeGet, Check.HEAD, {"head.body": _O.SENT, "head.then": _O.SPOILT}),
    Truth(StopsHeads, Check.HEAD, {"head.generator": _O.STOPPED}),
    Truth(SkipsHeads, Check.HEAD, {"head.generator": _O.NOT_RUN}),
    Truth(NeverCloses, Check.HEAD, {"head.close": _O.NOT_CALLED}),
    Truth(OneAtATime, Check.HEAD, {"head.then": _O.CLOSED}),
    Truth(Greedy, Check.STALL, {"stall.buffer": _O.TAKES_ALL}),
    Truth(OneAtATime, Check.STALL, {"stall.others": _O.WAITS}),
    Truth(GivesUp, Check.STALL, {"stall.rest": _O.CUT_OFF}),
    Truth(GivesUpPlainly, Check.STALL, {"stall.rest": _O.SILENT}),
    Truth(TimesOut, Check.TIMEOUT, {"timeout.stream": _O.CUT_OFF}),
    Truth(TimesOutPlainly, Check.TIMEOUT, {"timeout.stream": _O.SILENT}),
    Truth(TimesOut, Check.TIMEOUT, {"timeout.stream": _O.NONE}, timeout_s=0),
    Truth(TimesOut, Check.TIMEOUT, {"timeout.stream": _O.NOT_TRIED}, timeout_s=60),
    Truth(Collects, Check.WSGI, {"wsgi.write": _O.HELD}),
    Truth(HoldsTwo, Check.WSGI, {"wsgi.write": _O.PARTLY}),
    Truth(NoWrite, Check.WSGI, {"wsgi.write": _O.MISSING}),
    Truth(Hasty, Check.WSGI, {"wsgi.late": _O.MISSING}),
    Truth(Counts, Check.WSGI, {"wsgi.write": _O.HELD, "wsgi.one": _O.LENGTH}),
    Truth(Plain, Check.WSGI, {"wsgi.one": _O.CLOSE}),
    Truth(NoFileWrapper, Check.WSGI, {"wsgi.file_wrapper": _O.MISSING}),
    Truth(NeverCloses, Check.WSGI, {"wsgi.close": _O.NOT_CALLED}),
]
"""Each outcome of each question is among them."""


@dataclass(slots=True)
class Asked:
    """The findings, as tests ask for them: most checks sleep, and are made side by side.

    Those that move 64 MiB are made one after another.
    """

    folder: Path
    sleepers: ThreadPoolExecutor
    movers: ThreadPoolExecutor
    results: dict[Truth, Future[dict[str, Finding]]] = field(default_factory=dict)

    def begin(self, truth: Truth) -> Future[dict[str, Finding]]:
        """Have it asked, once."""
        if truth not in self.results:
            pool = self.movers if truth.check is Check.STALL else self.sleepers
            self.results[truth] = pool.submit(truth.findings, self.folder)
        return self.results[truth]

    def __call__(self, truth: Truth) -> dict[str, Finding]:
        """What was found, by question. Raises MeasurementError."""
        return self.begin(truth).result()
