"""Sends a stream with a known schedule through a server and a proxy, and hears what becomes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from analysis.doctor.delivery import Delivery, Pace, Points, delivery_of, pace_of, pieces_of
from analysis.doctor.words import pace_words
from harness.doctor.inside import GAP_MS, PIECES
from harness.doctor.subject import Subject, Tools, standing
from harness.servers.wrapping import around
from harness.trials.ledger_file import await_ledger
from harness.trials.tracing import ledger_around
from results.errors import MeasurementError
from scenarios.listener import Heard, NotHeard, listen
from targets import paced

#: What comes late once may have been held up by a busy machine; what holds back does so each time.
TRIES = 3
_PATIENCE_S = 3.0
_OF_ANOTHER_BODY = frozenset(
    {"content-length", "etag", "content-encoding", "transfer-encoding", "connection"}
)


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe: bytes of each piece, and the headers of the response that it stands for.

    ``coarse_bytes``: those of the few pieces that hold as much as the whole response.
    """

    piece_bytes: int
    coarse_bytes: int
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Probed:
    """What became of a probe, and of a coarse one where the first was held; and how the first arrived."""

    pace: Pace
    coarse: Pace | None
    heard: Heard

    @property
    def delivery(self) -> Delivery:
        """What they say of the layers that they went through."""
        return Delivery.CUT_OFF if self.heard.failure is not None else delivery_of(self.pace, self.coarse)

    @property
    def words(self) -> str:
        """The evidence."""
        return self.heard.failure or pace_words(self.pace, self.coarse)


def send_probe(
    subject: Subject, probe: Probe, shop: Tools, asked: tuple[tuple[str, str], ...] = ()
) -> Probed:
    """A probe through the subject's server and proxy; ``asked`` are request headers.

    Raises MeasurementError where nothing comes through.
    """
    pace, heard = _best(subject, probe, shop, asked)
    coarse = None
    if pace.delivery.is_held and probe.coarse_bytes > probe.piece_bytes:
        coarse, _ = _best(subject, replace(probe, piece_bytes=probe.coarse_bytes), shop, asked)
    return Probed(pace, coarse, heard)


def _best(
    subject: Subject, probe: Probe, shop: Tools, asked: tuple[tuple[str, str], ...]
) -> tuple[Pace, Heard]:
    """The best of a few tries."""
    variables = {
        paced.VARIABLE: json.dumps(
            {
                "pieces": PIECES,
                "bytes": probe.piece_bytes,
                "gap_ms": GAP_MS,
                "headers": [item for item in probe.headers if item[0].lower() not in _OF_ANOTHER_BODY],
            }
        )
    }
    best: tuple[Pace, Heard] | None = None
    with (
        around(subject.planned, shop.folder, paced, variables) as planned,
        ledger_around(planned, shop.folder) as wrapped,
        standing(replace(subject, planned=wrapped.planned), shop) as server,
    ):
        for _ in range(TRIES):
            try:
                heard = listen(subject.question(server.port, asked))
            except NotHeard as error:
                raise MeasurementError(str(error)) from error
            records = await_ledger(wrapped.records, since_ns=heard.sent_ns, count=1, patience_s=_PATIENCE_S)
            if not records:
                raise MeasurementError(
                    "a probe in place of the app was not asked: does the server's command serve {app}? "
                    f"It wrote:\n{server.output()}"
                )
            yields: Points = [(int(at), int(size)) for at, size in records[-1].yields]
            found = pace_of(yields, pieces_of(heard.points)), heard
            if best is None or found[0].late < best[0].late:
                best = found
            if found[0].late in {0, found[0].gaps}:  # all of them late is no accident
                break
    assert best is not None  # noqa: S101  - there was a try
    return best
