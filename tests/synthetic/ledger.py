"""The server's own record of every request, kept apart from the measured connections."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .steps import Step
    from .truth import Outcome


@dataclass(slots=True)
class Request:
    """A request as it was read from a connection."""

    connection: int
    turn: int
    method: str
    path: str
    version: str
    headers: list[tuple[str, str]]
    body_bytes: int
    accepted_ns: int
    received_ns: int

    def header(self, name: str) -> str:
        """The field's value in lower case, empty without it."""
        return next((value.lower() for key, value in self.headers if key.lower() == name), "")


@dataclass(slots=True)
class Entry:
    """One request in the ledger. Written by its connection's thread alone."""

    request: Request
    index: int
    number: int
    settled: threading.Condition
    outcome: Outcome = "open"
    writes: list[list[Any]] = field(default_factory=list)

    def wrote(self, step: Step, before_ns: int, after_ns: int) -> None:
        """Keep one act with its stamps."""
        sizes = [len(step.data), step.body_bytes, step.content_bytes]
        self.writes.append([before_ns, after_ns, step.action, *sizes, step.completes])

    def settle(self, outcome: Outcome) -> None:
        """Nothing more will be written."""
        with self.settled:
            self.outcome = outcome
            self.settled.notify_all()

    def as_json(self) -> dict[str, Any]:
        """The record that `truth.request_from_json` reads."""
        request = self.request
        return {
            "index": self.index,
            "number": self.number,
            "connection": request.connection,
            "turn": request.turn,
            "method": request.method,
            "path": request.path,
            "request_headers": request.headers,
            "request_body_bytes": request.body_bytes,
            "accepted_ns": request.accepted_ns,
            "received_ns": request.received_ns,
            "outcome": self.outcome,
            "writes": list(self.writes),
        }


class Ledger:
    """All entries since the last reset."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._entries: list[Entry] = []
        self._numbers: Counter[str] = Counter()
        self._connections = self._accepted = 0
        self._errors: list[str] = []

    def connect(self) -> int:
        """Count one accepted connection; gives its number for the life of the process."""
        with self._changed:
            self._accepted += 1
            self._connections += 1
            return self._accepted - 1

    def enter(self, request: Request) -> Entry:
        """Open the entry of a request."""
        with self._changed:
            self._numbers[request.path] += 1
            number = self._numbers[request.path]
            entry = Entry(request, len(self._entries), number, self._changed)
            self._entries.append(entry)
            return entry

    def leave(self, _: object, error: BaseException | None, __: object) -> bool:
        """End of a `with`: a client that went away is no failure, all else the test shall hear of."""
        if error and not isinstance(error, ConnectionError):
            with self._changed:
                self._errors.append(f"{type(error).__name__}: {error}")
        return True

    def counts(self) -> dict[str, Any]:
        """Connections and requests since the last reset."""
        with self._changed:
            return {"connections": self._connections, "requests": len(self._entries)}

    def errors(self) -> dict[str, Any]:
        """Failures of the server itself; a reset does not forget them."""
        with self._changed:
            return {"errors": list(self._errors)}

    def requests(self, settle_s: float) -> dict[str, Any]:
        """Every entry, once no request is under way any more or `settle_s` has passed."""
        deadline = time.monotonic() + settle_s
        with self._changed:
            while any(entry.outcome == "open" for entry in self._entries):
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            return {"requests": [entry.as_json() for entry in self._entries]}

    def reset(self) -> None:
        """Forget everything; a request under way is forgotten too."""
        with self._changed:
            self._entries = []
            self._numbers.clear()
            self._connections = 0
