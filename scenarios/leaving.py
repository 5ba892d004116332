"""The exchange of a client that hangs up in the middle of a response."""

from __future__ import annotations

from time import monotonic_ns

import xxhash

from results.records import Outcome
from scenarios.exchange import Window
from scenarios.expected import Expected
from scenarios.specification import Leaving
from scenarios.traced_exchange import TracedExchange

#: A client that hangs up reads so little of a body at a time, so that it leaves when it means to.
READ_BYTES = 4096


class _PrefixHash:
    """The hash of the first so many bytes of what comes."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._hash = xxhash.xxh3_64()

    def update(self, content: bytes | memoryview) -> None:
        """Some more of it."""
        if self._left:
            part = content[: self._left]
            self._hash.update(part)
            self._left -= len(part)

    def intdigest(self) -> int:
        """The hash of the prefix, or of what came of it so far."""
        return self._hash.intdigest()


class LeavingExchange(TracedExchange):
    """Is complete as soon as enough of the content has come; ``last_ns`` is then the instant of the hang-up.

    ``leaving`` says how much is enough. The caller closes the connection at once. It keeps its reads, as a
    traced one, in a timed trial too: no rate is measured with it.
    """

    __slots__ = ("_leaving", "_left", "_whole")

    def __init__(
        self, method: str, window: Window, marker: str | None, leaving: Leaving, most_bytes: int
    ) -> None:
        super().__init__(method, window, marker, most_bytes)
        self._leaving = leaving
        self._left = self._whole = False
        self._hash = _PrefixHash(leaving.after_bytes)

    def on_body(self, body: bytes | memoryview) -> None:
        """Some bytes of the body."""
        if self._left:
            return  # the rest of a read of which enough had come
        super().on_body(body)
        if not self.error and self.body_bytes >= self._leaving.after_bytes:
            self._left = self.complete = True
            self.keep_alive = False
            self.last_ns = monotonic_ns()

    def on_message_begin(self) -> None:
        """A message begins; what comes behind a hang-up is not looked at."""
        if not self._left:
            super().on_message_begin()

    def on_message_complete(self) -> None:
        """The end of the message; where it came with what was enough, nobody could leave in its middle."""
        if self._left:
            self._whole = True
        else:
            super().on_message_complete()

    def judge(self, expected: Expected) -> None:
        """Decide whether it was hung up as planned, after what verify saw of the same response."""
        if self.error:
            return
        if not self._left:
            super().judge(expected)  # too short, or something else altogether
            if self.outcome is Outcome.VERIFIED:
                self.fail(Outcome.NOT_HUNG_UP, "the response was through before the client could leave")
        elif self.status != expected.status:
            self.fail(Outcome.WRONG_STATUS, f"status {self.status} instead of {expected.status}")
        elif self._leaving.digest is not None and self.digest() != self._leaving.digest:
            self.fail(
                Outcome.WRONG_BYTES,
                f"its first {self._leaving.after_bytes:,} bytes are not the ones that verify saw; if the "
                'page changes by itself, set check = "length" in its target',
            )
        elif self._whole:
            self.fail(
                Outcome.NOT_HUNG_UP,
                f"all {self.body_bytes:,} bytes of it had come before the client could leave; ask for a "
                "longer response",
            )
        else:
            self.outcome = Outcome.HUNG_UP
