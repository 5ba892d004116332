"""The exchange of verify, whose content is kept to be compared."""

from __future__ import annotations

from typing import BinaryIO

import xxhash

from results.records import MISSING, Outcome
from scenarios.exchange import Exchange, Window


class _KeptHash:
    """A hash of content that is kept in a file besides."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = xxhash.xxh3_64()

    def update(self, content: bytes | memoryview) -> None:
        """Some more of it."""
        self._hash.update(content)
        self._file.write(content)

    def intdigest(self) -> int:
        """The hash of what came so far."""
        return self._hash.intdigest()


class KeptExchange(Exchange):
    """Also keeps the content, in a file, and the sizes of the body's chunks as they are on the wire.

    One of more than ``most_bytes`` fails, and is read no further. For verify, never in a timed trial.
    """

    __slots__ = ("_chunk_bytes", "_most_bytes", "chunk_bytes")

    def __init__(self, method: str, window: Window, file: BinaryIO, most_bytes: int) -> None:
        super().__init__(method, window)
        self._most_bytes = most_bytes
        self._hash = _KeptHash(file)
        self._chunk_bytes = 0
        self.chunk_bytes: list[int] = []

    def _body_reader(self) -> None:
        """The parser reads: it alone tells where each chunk ends."""

    def on_body(self, body: bytes | memoryview) -> None:
        """Some bytes of the body."""
        if self.complete:
            return  # the rest of a read of which too much had come
        super().on_body(body)
        self._chunk_bytes += len(body)
        if self.body_bytes > self._most_bytes:
            self.fail(Outcome.UNFINISHED, f"left after {self._most_bytes:,} bytes")
            self.complete = True  # nothing more of it is read

    @property
    def unended(self) -> bool:
        """Whether it had begun and was still being sent when it was left."""
        if not self.error:
            return False
        return self.headers_ns != MISSING and self.outcome in {Outcome.TIMED_OUT, Outcome.UNFINISHED}

    def on_chunk_complete(self) -> None:
        """The end of one chunk (the last, empty one too)."""
        if self._chunk_bytes:
            self.chunk_bytes.append(self._chunk_bytes)
        self._chunk_bytes = 0
