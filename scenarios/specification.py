"""What the driver is asked for: one trial's load, one response to keep, or traced requests."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from scenarios.schedule import Spacing

#: Where the driver serves Locust's web UI: nobody on another machine has any business there.
WEB_UI_HOST = "127.0.0.1"


#: A body that is larger is taken for one without an end, which would fill the disk.
MOST_KEPT_BYTES = 1 << 30
#: What a driver may take beyond what it was asked for (s): it has other work on a machine that is too busy.
GRACE_S = 30.0
#: How many numbers tell of each read of a traced request (`scenarios.traced_exchange.TracedExchange`).
POINT_NUMBERS = 4


def authority_of(host: str, port: int) -> str:
    """An IP address and a port as a URL has them (RFC 3986, 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server under test listens and what it is asked.

    ``host`` is an IP address: no name is looked up. ``authority`` is what the Host header says, null for the
    address and the port.
    """

    host: str
    port: int
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    timeout_s: float
    keep_alive: bool
    body: str | None = None
    authority: str | None = None


@dataclass(frozen=True, slots=True)
class FetchSpecification:
    """Ask once and keep the body in the file ``keep_in``; one of more than ``most_bytes`` is left there."""

    address: Address
    keep_in: str
    most_bytes: int = MOST_KEPT_BYTES

    @property
    def takes_at_most_s(self) -> float:
        """After this time (s) the driver has answered, or it hangs."""
        return self.address.timeout_s + GRACE_S


@dataclass(frozen=True, slots=True)
class Download:
    """A closed loop: each of ``users`` asks again as soon as its response is through."""

    users: int


@dataclass(frozen=True, slots=True)
class Soak(Download):
    """The same, for long: what memory is retained over time is looked at."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Each of ``users`` leaves when the share ``after`` of the body has come, and then asks a small request.

    That one has ``patience_s`` to be answered. Then it begins again.
    """

    users: int
    after: float
    patience_s: float


@dataclass(frozen=True, slots=True)
class Arrivals:
    """An open loop: ``rate`` requests a second on schedule, over at most ``most_in_flight`` connections."""

    rate: float
    spacing: Spacing
    most_in_flight: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """When a client hangs up: as soon as ``after_bytes`` of the content have come.

    ``digest`` (xxh3_64) is that of these bytes, None where the suite relaxes it.
    """

    after_bytes: int
    digest: int | None


@dataclass(frozen=True, slots=True)
class SlowReader:
    """The closed loop of ``users`` who take at most so many bytes a second each, until the window closes."""

    users: int
    bytes_per_second: int


Load: TypeAlias = Download | Arrivals | HangUp | SlowReader
_LOADS: Mapping[str, type[Load]] = {
    "download": Download,
    "soak": Soak,
    "hang-up": HangUp,
    "arrivals": Arrivals,
    "slow-reader": SlowReader,
}


@dataclass(frozen=True, slots=True)
class Others:
    """Small requests beside the streams, in an open loop: ``rate`` a second, from before the first stream on.

    They are alone for ``alone_s``. One that has no answer after ``patience_s`` is given up.
    """

    rate: float
    alone_s: float
    patience_s: float

    @property
    def most_in_flight(self) -> int:
        """Far more than are under way at any instant: none of them waits for a connection."""
        return 10 + math.ceil(2 * self.rate * self.patience_s)


@dataclass(frozen=True, slots=True)
class TrialSpecification:
    """One trial's load.

    ``status``, ``body_bytes`` and ``digest`` (xxh3_64, None where the suite relaxes it) are what every
    response is checked against. ``row_marker`` replaces what the content type says of rows. Arrivals are
    scheduled by ``schedule_seed``. ``others`` is an open loop beside it, with a window that opens at the same
    instant, after a longer warm-up: meanwhile it is alone. Where the load
    hangs up, ``leaving`` says when, and ``small`` is what it asks next. Of an open loop's schedule every
    request whose number is ``part`` modulo ``parts`` is sent: the others are sent by other workers.
    """

    address: Address
    name: str
    load: Load
    warmup_s: float
    window_s: float
    status: int
    body_bytes: int
    digest: int | None
    row_marker: str | None = None
    schedule_seed: str = ""
    leaving: Leaving | None = None
    small: Address | None = None
    others: TrialSpecification | None = None
    part: int = 0
    parts: int = 1

    @property
    def longest_warmup_s(self) -> float:
        """From the begin of the trial to that of its window, in seconds: who is alone begins earlier."""
        return (self.others or self).warmup_s

    @property
    def takes_at_most_s(self) -> float:
        """After this time (s) the driver has answered, or it hangs.

        The last request waits up to one timeout for a connection, and is sent twice where a connection that
        was kept alive turns out to be closed. Then a small one may follow, or those of others may.
        """
        alone_s = 0.0 if self.others is None else self.others.warmup_s - self.warmup_s
        patience_s = self.load.patience_s if isinstance(self.load, HangUp) else 0.0
        own_s = alone_s + self.warmup_s + self.window_s + 3 * self.address.timeout_s + patience_s + GRACE_S
        return own_s if self.others is None else max(own_s, self.others.takes_at_most_s)


@dataclass(frozen=True, slots=True)
class TraceSpecification:
    """A warm-up and ``requests`` more, one after another, fewer where these take more than ``longest_s``.

    One of them is made at least. What they are checked against, and when they hang up, is as in
    `TrialSpecification`.
    """

    address: Address
    requests: int
    longest_s: float
    status: int
    body_bytes: int
    digest: int | None
    row_marker: str | None = None
    leaving: Leaving | None = None

    @property
    def takes_at_most_s(self) -> float:
        """After this time (s) the driver has answered, or it hangs: a warm-up, a first and a last request."""
        return self.longest_s + 5 * self.address.timeout_s + GRACE_S


Specification = FetchSpecification | TrialSpecification | TraceSpecification

_KINDS: Mapping[str, type[Specification]] = {
    "fetch": FetchSpecification,
    "trial": TrialSpecification,
    "trace": TraceSpecification,
}


def to_message(specification: Specification) -> dict[str, Any]:
    """The specification as a message for the link."""
    (kind,) = (name for name, known in _KINDS.items() if isinstance(specification, known))
    message = {"kind": kind, **asdict(specification)}
    if isinstance(specification, TrialSpecification):
        (message["load_kind"],) = (name for name, load in _LOADS.items() if type(specification.load) is load)
        message["others"] = None if specification.others is None else to_message(specification.others)
    return message


def from_message(message: Mapping[str, Any]) -> Specification:
    """The specification that `to_message` made the message from."""
    fields = dict(message)
    kind = fields.pop("kind")
    where = _address(fields.pop("address"))
    if kind == "trial":
        fields["load"] = _LOADS[fields.pop("load_kind")](**fields.pop("load"))
        fields["others"] = None if fields["others"] is None else from_message(fields["others"])
    if fields.get("leaving"):
        fields["leaving"] = Leaving(**fields["leaving"])
    if fields.get("small"):
        fields["small"] = _address(fields["small"])
    return _KINDS[kind](address=where, **fields)


def _address(message: Mapping[str, Any]) -> Address:
    headers = tuple((name, value) for name, value in message["headers"])
    return Address(**{**message, "headers": headers})
