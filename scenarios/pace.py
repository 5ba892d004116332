"""A reader who is slower than the server: at most so many bytes a second, until its pace is let go."""

from __future__ import annotations

from time import monotonic_ns

import gevent

#: What the kernel may hold for the reader: without a bound it takes megabytes in the reader's place. Linux
#: doubles it for its own books (socket(7)).
RECEIVE_BUFFER_BYTES = 64 * 1024
#: How often a reader takes a piece, and the least that is worth one.
_PIECES_A_SECOND = 50
_LEAST_PIECE_BYTES = 1024


class Pace:
    """One reader's: so many bytes are due by now, counted from the first body byte of each response.

    Until ``free_ns`` (CLOCK_MONOTONIC): from then on it reads as fast as bytes come.
    """

    def __init__(self, bytes_per_second: int, free_ns: int) -> None:
        self._bytes_per_second = bytes_per_second
        self._free_ns = free_ns
        self._taken_bytes = 0
        self.piece_bytes = min(
            max(bytes_per_second // _PIECES_A_SECOND, _LEAST_PIECE_BYTES), RECEIVE_BUFFER_BYTES
        )

    def begin(self) -> None:
        """Another response comes."""
        self._taken_bytes = 0

    def rest(self, taken_bytes: int, since_ns: int) -> None:
        """Wait until what has been taken was due; ``since_ns`` is when the body began."""
        self._taken_bytes += taken_bytes
        due_ns = since_ns + round(self._taken_bytes * 1e9 / self._bytes_per_second)
        while (left_ns := min(due_ns, self._free_ns) - monotonic_ns()) > 0:
            gevent.sleep(left_ns / 1e9)
