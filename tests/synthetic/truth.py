"""What the server knows about each request: the truth that a client's figures are held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Instant = Literal["interim", "headers", "row", "message"]
Action = Literal["send", "pause", "fin", "close", "reset"]
Outcome = Literal["open", "done", "client-gone", "dropped", "silent"]


@dataclass(frozen=True, slots=True)
class Write:
    """One act on the socket, stamped by the server just before and just after it.

    Over loopback the bytes are in the client's socket when the send returns, so that they
    arrived between the two stamps (a full receive buffer excepted: then the send waits).
    """

    before_ns: int
    after_ns: int
    action: Action
    wire_bytes: int  # with header block and framing
    body_bytes: int  # without framing, content coding kept
    content_bytes: int  # that a decoder can give out once this much has arrived
    completes: tuple[Instant, ...]  # what has arrived whole with this write


@dataclass(frozen=True, slots=True)
class RequestTruth:
    """One request as the server saw it. Stamps are `time.monotonic_ns`."""

    index: int  # in the order of receipt since the last reset, from 0
    number: int  # among the requests of the same path since the last reset, from 1
    connection: int  # unique for the life of the process
    turn: int  # among the requests on its connection, from 0: above 0 it is a reused one
    method: str
    path: str
    request_headers: tuple[tuple[str, str], ...]
    request_body_bytes: int
    accepted_ns: int  # accept() returned
    received_ns: int  # the request was read whole
    outcome: Outcome  # "done": all that was asked was done, a cut included
    writes: tuple[Write, ...]

    @property
    def headers(self) -> Write | None:
        """The write that completed the header block of the final response."""
        return self._completing("headers")

    @property
    def first_body(self) -> Write | None:
        """The write with the first body byte."""
        return next(iter(self.body), None)

    @property
    def first_row(self) -> Write | None:
        """The write that completed the first data row."""
        return self._completing("row")

    @property
    def end(self) -> Write | None:
        """The write that completed the message by its framing; None when it never was complete."""
        return self._completing("message")

    @property
    def body(self) -> tuple[Write, ...]:
        """The writes that carried body bytes."""
        return tuple(write for write in self.writes if write.body_bytes)

    @property
    def body_bytes(self) -> int:
        """All body bytes that were sent."""
        return sum(write.body_bytes for write in self.writes)

    def _completing(self, instant: Instant) -> Write | None:
        return next((write for write in self.writes if instant in write.completes), None)


def _write(*row: Any) -> Write:
    before_ns, after_ns, action, wire, body, content, completes = row
    return Write(before_ns, after_ns, action, wire, body, content, tuple(completes))


def request_from_json(record: dict[str, Any]) -> RequestTruth:
    """Read one record of the server's answer to `truth`."""
    fields = dict(record)
    fields["request_headers"] = tuple((name, value) for name, value in record["request_headers"])
    fields["writes"] = tuple(_write(*row) for row in record["writes"])
    return RequestTruth(**fields)
