"""Sends a paced stream through a part of the app, and sees whether it keeps its pace.

The stream is the response's own begin, piece by piece: a layer that reads what it passes on finds what it
expects.
"""

from __future__ import annotations

import time
from itertools import pairwise
from time import monotonic_ns
from typing import TYPE_CHECKING

from ..paced import contents
from .asking import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

#: A piece that comes late once may have been held up by a busy machine; what holds back does so each time.
_TRIES = 3


class Probe:
    """A stream of these pieces, a gap apart; keeps when each was handed over."""

    def __init__(self, pieces: Sequence[bytes], gap_s: float) -> None:
        self._pieces = pieces
        self._gap_s = gap_s
        self.yields: list[list[int]] = []

    def stream(self) -> Iterator[bytes]:
        """The pieces, on their schedule."""
        for number, piece in enumerate(self._pieces):
            if number:
                time.sleep(self._gap_s)
            self.yields.append([monotonic_ns(), len(piece)])
            yield piece

    def app(self, headers: list[list[str]]) -> Callable[..., Iterator[bytes]]:
        """A WSGI app that answers with it, and with these headers of another response."""

        def answer(environ: Any, start_response: Callable[..., Any]) -> Iterator[bytes]:
            del environ
            start_response("200 OK", [(name, value) for name, value in headers])
            return self.stream()

        return answer


def of_response(kept: Sequence[bytes], asked: dict[str, Any]) -> dict[str, Any]:
    """What probes are made of: the first ``fine`` pieces, and ``coarse`` ones that hold all that was kept.

    Of a response in fewer pieces, its content in as many as a probe has; without a response, letters.
    """
    count, least = asked["pieces"], asked["least_bytes"]
    content = b"".join(kept)
    if len(content) < count * least:
        fine = list(contents(count, least))
        return {**asked, "fine": fine, "coarse": fine}
    size = -(-len(content) // count)
    coarse = [content[at : at + size] for at in range(0, len(content), size)]
    if len(kept) < count:
        return {**asked, "fine": coarse, "coarse": coarse}
    step = -(-len(kept) // count)
    coarse = [b"".join(kept[at : at + step]) for at in range(0, len(kept), step)]
    return {**asked, "fine": list(kept[:count]), "coarse": coarse}


def without_length(headers: list[list[str]]) -> list[list[str]]:
    """Headers of a response that fit another body."""
    return [header for header in headers if header[0].lower() not in ("content-length", "etag")]


def sent_through(app: Any, job: dict[str, Any], under: Callable[[Probe], Any]) -> dict[str, Any] | None:
    """What came out of the app with a probe put ``under`` it (a context manager).

    Where pieces as large as the response's own are late, ``coarse`` says the same of a probe that has the
    bytes of the whole response in its few pieces. None where the probe was never asked.
    """
    fine, coarse = job["probe"]["fine"], job["probe"]["coarse"]
    found = _best(app, job, under, fine)
    if found is not None and late(found) and sum(map(len, coarse)) > sum(map(len, fine)):
        found["coarse"] = _best(app, job, under, coarse)
    return found


def _best(
    app: Any, job: dict[str, Any], under: Callable[[Probe], Any], pieces: Sequence[bytes]
) -> dict[str, Any] | None:
    """The best of a few tries; one where all pieces are late is no accident."""
    best: dict[str, Any] | None = None
    for _ in range(_TRIES):
        probe = Probe(pieces, job["probe"]["gap_ms"] / 1000)
        with under(probe):
            answer = ask(app, job)
        if not probe.yields:
            return None
        found = {
            "yields": probe.yields,
            "points": answer["points"],
            "headers": answer["headers"],
            "raised": answer["raised"],
            "coarse": None,
        }
        if best is None or late(found) < late(best):
            best = found
        if late(best) in (0, len(pieces) - 1):
            break
    return best


def late(found: dict[str, Any]) -> int:
    """After how many yields nothing had come out when the next one was due."""
    yields, points = found["yields"], found["points"]
    return sum(
        not any(yielded <= at < following for at, _ in points)
        for (yielded, _), (following, _) in pairwise(yields)
    )
