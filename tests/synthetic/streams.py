"""Bodies of JSON lines and of server-sent events, of an exact size, and where their first row ends."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable, Iterator

#: What comes before the first event, and is none.
_KEEP_ALIVE = ": synthetic{eol}{eol}retry: 3000{eol}{eol}"


def json_lines(size: int, seed: int, eol: str) -> bytes:
    """Objects, one a line, and blanks for what is left."""
    return _filled("", (f"{flight}{eol}" for flight in _flights(seed)), size)


def events(size: int, seed: int, eol: str) -> bytes:
    """A comment and a block without data, then events."""
    flights = enumerate(_flights(seed), start=1)
    blocks = (f"id: {number}{eol}data: {flight}{eol}{eol}" for number, flight in flights)
    return _filled(_KEEP_ALIVE.format(eol=eol), blocks, size)


def first_line_end(body: bytes) -> int | None:
    """Bytes up to and with the end of the first line that is not blank."""
    end = body.find(b"}")
    end = body.find(b"\n", end) if end >= 0 else -1
    return end + 1 if end >= 0 else None


def first_event_end(body: bytes, eol: str) -> int | None:
    """Bytes up to and with the first byte of the blank line behind the first data."""
    blank = 2 * eol.encode()
    end = body.find(blank, max(body.find(b"data: "), 0)) if b"data: " in body else -1
    return end + len(eol) + 1 if end >= 0 else None


def _flights(seed: int) -> Iterator[str]:
    draw = random.Random(seed)  # noqa: S311
    for number in itertools.count(1):
        yield json.dumps({"number": number, "distance": draw.randrange(80, 5000)})


def _filled(head: str, pieces: Iterable[str], size: int) -> bytes:
    """The head and as many pieces as there is room for; where not even one fits, the beginning of it."""
    parts, left = [head], size - len(head)
    for piece in pieces:
        if len(piece) > left:
            fill = piece[:left] if len(parts) == 1 else " " * (left - 1) + "\n"
            return "".join([*parts, fill if left > 0 else ""]).encode()[:size]
        parts.append(piece)
        left -= len(piece)
    raise AssertionError("there is no end to the pieces")
