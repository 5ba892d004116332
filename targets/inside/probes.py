"""Sends a paced stream through a part of the app, and sees whether it keeps its pace."""

from __future__ import annotations

from itertools import pairwise
from time import monotonic_ns
from typing import TYPE_CHECKING

from ..paced import paced
from .asking import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

#: A piece that comes late once may have been held up by a busy machine; what holds back does so each time.
_TRIES = 3


class Probe:
    """A stream of so many pieces; keeps when each was handed over."""

    def __init__(self, job: dict[str, Any], size: int) -> None:
        self._asked = job["probe"]
        self._size = size
        self.yields: list[list[int]] = []

    def stream(self) -> Iterator[bytes]:
        """The pieces, on their schedule."""
        for piece in paced(self._asked["pieces"], self._size, self._asked["gap_ms"]):
            self.yields.append([monotonic_ns(), len(piece)])
            yield piece

    def app(self, headers: list[list[str]]) -> Callable[..., Iterator[bytes]]:
        """A WSGI app that answers with it, and with these headers of another response."""

        def answer(_: Any, start_response: Callable[..., Any]) -> Iterator[bytes]:
            start_response("200 OK", [(name, value) for name, value in headers])
            return self.stream()

        return answer


def without_length(headers: list[list[str]]) -> list[list[str]]:
    """Headers of a response that fit another body."""
    return [header for header in headers if header[0].lower() not in ("content-length", "etag")]


def sent_through(app: Any, job: dict[str, Any], under: Callable[[Probe], Any]) -> dict[str, Any] | None:
    """What came out of the app with a probe put ``under`` it (a context manager).

    Where pieces as large as the response's own are late, ``coarse`` says the same of a probe that has the
    bytes of the whole response in its few pieces. None where the probe was never asked.
    """
    asked = job["probe"]
    found = _best(app, job, under, asked["bytes"])
    if found is not None and late(found) and asked["coarse_bytes"] > asked["bytes"]:
        found["coarse"] = _best(app, job, under, asked["coarse_bytes"])
    return found


def _best(app: Any, job: dict[str, Any], under: Callable[[Probe], Any], size: int) -> dict[str, Any] | None:
    """The best of a few tries; one where all pieces are late is no accident."""
    asked = job["probe"]
    best: dict[str, Any] | None = None
    for _ in range(_TRIES):
        probe = Probe(job, size)
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
        if late(best) in (0, asked["pieces"] - 1):
            break
    return best


def late(found: dict[str, Any]) -> int:
    """After how many yields nothing had come out when the next one was due."""
    yields, points = found["yields"], found["points"]
    return sum(
        not any(yielded <= at < following for at, _ in points)
        for (yielded, _), (following, _) in pairwise(yields)
    )
