"""The exchange of verify, whose content is kept to be compared."""

from __future__ import annotations

import bisect
import itertools
from collections import Counter
from typing import BinaryIO

import xxhash

from results.records import MISSING, Outcome
from scenarios.body import BodyReader, ParsedBody
from scenarios.exchange import Exchange, Window


class NotKept(Exception):  # noqa: N818  - named for what happened
    """The file that the content is kept in cannot be written; the message says why."""


class _KeptHash:
    """A hash of content that is kept in a file besides."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = xxhash.xxh3_64()

    def update(self, content: bytes | memoryview) -> None:
        """Some more of it."""
        self._hash.update(content)
        try:
            self._file.write(content)
        except OSError as error:
            raise NotKept(str(error)) from error

    def intdigest(self) -> int:
        """The hash of what came so far."""
        return self._hash.intdigest()


class ChunkSizes:
    """The sizes of a body's chunks (bytes), counted by size.

    However many chunks there are, n different sizes are at least n^2 / 2 bytes: 46,341 of them in 1 GiB.
    """

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.first: int | None = None
        """That of the first chunk; null where there is none."""

    def add(self, size: int) -> None:
        """One more chunk."""
        if self.first is None:
            self.first = size
        self._counts[size] += 1

    @property
    def count(self) -> int:
        """How many chunks there are."""
        return self._counts.total()

    @property
    def median(self) -> float | None:
        """The middle size, or the mean of the two in the middle; null where there is no chunk."""
        if not self._counts:
            return None
        lower, upper = (self.count - 1) // 2, self.count // 2
        sizes = sorted(self._counts)
        behind = list(itertools.accumulate(self._counts[size] for size in sizes))
        return sum(sizes[bisect.bisect_right(behind, place)] for place in (lower, upper)) / 2


class KeptExchange(Exchange):
    """Also keeps the content, in a file, and ``chunks``: how they are on the wire, those of a chunked body.

    One of more than ``most_bytes`` fails, and is read no further. For verify, never in a timed trial.
    """

    __slots__ = ("_chunk_bytes", "chunks")

    def __init__(self, method: str, window: Window, file: BinaryIO, most_bytes: int) -> None:
        super().__init__(method, window, most_bytes=most_bytes)
        self._hash = _KeptHash(file)
        self._chunk_bytes = 0
        self.chunks = ChunkSizes()

    def _chunked_reader(self) -> BodyReader:
        """The parser reads: it alone tells where each chunk ends."""
        assert self._parser is not None  # noqa: S101  - it has read the headers
        return ParsedBody(self, self._parser)

    def on_body(self, body: bytes | memoryview) -> None:
        """Some bytes of the body."""
        super().on_body(body)
        self._chunk_bytes += len(body)

    def _too_long(self) -> None:
        self.fail(Outcome.UNFINISHED, f"left after {self._most_bytes:,} bytes")

    @property
    def unended(self) -> bool:
        """Whether it had begun and was still being sent when it was left."""
        if not self.error:
            return False
        return self.headers_ns != MISSING and self.outcome in {Outcome.TIMED_OUT, Outcome.UNFINISHED}

    def on_chunk_complete(self) -> None:
        """The end of one chunk (the last, empty one too)."""
        if self._chunk_bytes:
            self.chunks.add(self._chunk_bytes)
        self._chunk_bytes = 0
