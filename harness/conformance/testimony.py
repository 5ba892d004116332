"""Reads what the witness inside a server wrote down (`targets.witness` says how)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from targets.witness import CLOSED, EVENTS, YIELDED

_POLL_EVERY_S = 0.005


@dataclass(frozen=True, slots=True)
class Event:
    """``name`` is one of `targets.witness.EVENTS`; ``instant_ns`` is CLOCK_MONOTONIC."""

    name: str
    instant_ns: int
    value: int


@dataclass(frozen=True, slots=True)
class Account:
    """What the app did for one request, in its order."""

    events: Sequence[Event]

    def of(self, name: str) -> list[Event]:
        """Its events of one name."""
        return [event for event in self.events if event.name == name]

    @property
    def yields(self) -> list[Event]:
        """The pieces that it handed over, the last of which may still be in the server's hands."""
        return self.of(YIELDED)

    @property
    def handed_over_bytes(self) -> int:
        """The bytes of these."""
        return sum(event.value for event in self.yields)

    @property
    def closed_ns(self) -> int | None:
        """When ``close()`` was called first; None where it was not."""
        return next((event.instant_ns for event in self.of(CLOSED)), None)


@dataclass(frozen=True, slots=True)
class Testimony:
    """The file of one witness."""

    path: Path

    def account(self, request: str) -> Account:
        """What is written of one request so far."""
        text = self.path.read_text() if self.path.exists() else ""
        whole = text.rpartition("\n")[0]  # a line that is just being written is looked at next time
        words = (line.split() for line in whole.splitlines())
        return Account([Event(own[1], int(own[2]), int(own[3])) for own in words if own[0] == request])

    def await_event(self, request: str, name: str, patience_s: float) -> Account:
        """The same, as soon as there is such an event, or when patience is over."""
        assert name in EVENTS  # noqa: S101  - another would be waited for in vain
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            account = self.account(request)
            if account.of(name):
                return account
            time.sleep(_POLL_EVERY_S)
        return self.account(request)
