"""How the real response arrives, from wherever it comes: asked a few times."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from analysis.doctor.delivery import APART_NS, LEAST_SPAN_NS, Course, Delivery, course_of, judged, pieces_of
from analysis.doctor.findings import Diagnosis, Kind, Layer
from analysis.doctor.remedies import COMPRESSOR, of_cut_off
from analysis.doctor.signs import headers_early, signs_of
from analysis.doctor.words import course_words, untold_words
from results.errors import MeasurementError
from scenarios.listener import Heard, NotHeard, Question, listen

_REQUESTS = 3
#: What a URL is asked for at most: a few times as it is, and a few times uncompressed.
MOST_REQUESTS = 2 * _REQUESTS
#: No further request is begun after this time (s).
_ENOUGH_S = 15.0
_IDENTITY = ("Accept-Encoding", "identity")


@dataclass(frozen=True, slots=True)
class Arrived:
    """The response that arrived most like a stream: what slows one down now and then is no holder."""

    heard: Heard
    course: Course | None

    @property
    def delivery(self) -> Delivery:
        """By its arrivals alone."""
        if self.heard.failure is not None:
            return Delivery.CUT_OFF
        if not self.heard.complete:  # it goes on: what has come came before its end
            return Delivery.STREAMS if self.heard.points else Delivery.CANNOT_TELL
        return judged(self.course)

    @property
    def words(self) -> str:
        """The evidence."""
        if self.heard.failure is not None:
            return f"{self.heard.failure} (after {self.heard.body_bytes:,} B of body)"
        if not self.heard.complete:
            came = f"{self.heard.body_bytes:,} B had come" if self.heard.points else "nothing had come"
            return f"it had not ended when it was left, and {came}"
        if self.course is None or self.delivery is Delivery.CANNOT_TELL:
            return untold_words(self.course)
        return course_words(self.course)


def arrive(question: Question, status: int = 200) -> Arrived:
    """Ask a few times. Raises MeasurementError where nobody answers, or with another status."""
    begun = time.monotonic()
    best: Arrived | None = None
    for _ in range(_REQUESTS):
        found = _once(question, status)
        if best is None or _earlier(found, best):
            best = found
        if found.delivery in {Delivery.STREAMS, Delivery.CUT_OFF} or time.monotonic() - begun > _ENOUGH_S:
            break
    assert best is not None  # noqa: S101  - it was asked
    return best


def examine_url(subject: str, question: Question, status: int = 200) -> Diagnosis:
    """What can be told of a response by its arrivals and its headers, whoever sends it."""
    arrived = arrive(question, status)
    return diagnosis(subject, [], arrived, lambda: arrive(without_compression(question), status), "")


def diagnosis(
    subject: str, layers: list[Layer], arrived: Arrived, plain: Callable[[], Arrived], output: str
) -> Diagnosis:
    """Layers and arrivals together; ``plain`` asks for the response uncompressed."""
    heard, delivery = arrived.heard, arrived.delivery
    headers = {name.lower(): value for name, value in heard.headers}
    remedies: tuple[str, ...] = ()
    if delivery is Delivery.CUT_OFF:
        remedies = of_cut_off(heard.failure or "", output)
    elif _may_be_compressed(arrived) and plain().delivery is Delivery.STREAMS:
        # few bytes alone would not tell: that they stream where nobody compresses them does
        delivery = Delivery.HELD if delivery is Delivery.CANNOT_TELL else delivery
        remedies = (COMPRESSOR,)
    held = delivery in {Delivery.PARTLY, Delivery.HELD}
    signs = list(signs_of(headers, framing=heard.framing, held=held, chunk_bytes=heard.chunk_bytes))
    first = heard.points[0][0] if heard.points else None
    early = headers_early(heard.sent_ns, heard.headers_ns, first)
    signs += [early] if early and held else []
    whole = Layer(Kind.WHOLE, "the response", delivery, arrived.words, None, remedies)
    return Diagnosis(subject, (*layers, whole), tuple(signs))


def without_compression(question: Question) -> Question:
    """The same question by somebody who takes no compressed answer."""
    headers = [item for item in question.headers if item[0].lower() != _IDENTITY[0].lower()]
    return replace(question, headers=(*headers, _IDENTITY))


def _may_be_compressed(arrived: Arrived) -> bool:
    """Whether a compressor may have kept it: it took its time, and is encoded."""
    if (arrived.heard.header("Content-Encoding") or "identity") == "identity" or arrived.course is None:
        return False
    return arrived.delivery is not Delivery.STREAMS and arrived.course.span_ns >= LEAST_SPAN_NS


def _once(question: Question, status: int) -> Arrived:
    try:
        heard = listen(question)
    except NotHeard as error:
        raise MeasurementError(str(error)) from error
    if heard.status != status:
        raise MeasurementError(_unwanted(question, heard, status))
    began = heard.sent_ns + heard.round_trip_ns
    pieces = pieces_of(heard.points)
    ended = max(heard.last_ns, began)
    return Arrived(heard, course_of(began, pieces, ended, heard.first_row_ns, APART_NS))


def _earlier(one: Arrived, other: Arrived) -> bool:
    """Whether one of two came more like a stream."""
    if one.course is None or other.course is None:
        return one.course is not None
    return max(one.course.first_share, one.course.half_share) < max(
        other.course.first_share, other.course.half_share
    )


def _unwanted(question: Question, heard: Heard, status: int) -> str:
    if heard.status is None:
        return f"{question.url} gave no response: {heard.failure or 'it was silent'}"
    to = heard.header("Location")
    led = f" and leads to {to}: ask for that" if to else ": name a path that works, with the headers it needs"
    return f"{question.url} answers with status {heard.status} instead of {status}{led}"
