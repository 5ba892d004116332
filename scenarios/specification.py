"""What the driver is asked for: one trial's load, or one response to keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server under test listens and what it is asked."""

    host: str
    port: int
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    timeout_s: float
    keep_alive: bool


@dataclass(frozen=True, slots=True)
class FetchSpecification:
    """Ask once and keep the body in the file ``keep_in``."""

    address: Address
    keep_in: str


@dataclass(frozen=True, slots=True)
class TrialSpecification:
    """One trial's load.

    ``status``, ``body_bytes`` and ``digest`` (xxh3_64, None where the suite relaxes it) are what every
    response is checked against. ``row_marker`` replaces what the content type says of rows.
    """

    address: Address
    name: str
    users: int
    warmup_s: float
    window_s: float
    status: int
    body_bytes: int
    digest: int | None
    row_marker: str | None = None


def to_message(specification: FetchSpecification | TrialSpecification) -> dict[str, Any]:
    """The specification as a message for the link."""
    kind = "fetch" if isinstance(specification, FetchSpecification) else "trial"
    return {"kind": kind, **asdict(specification)}


def from_message(message: Mapping[str, Any]) -> FetchSpecification | TrialSpecification:
    """The specification that `to_message` made the message from."""
    fields = dict(message)
    kind = fields.pop("kind")
    address = dict(fields.pop("address"))
    headers = tuple((name, value) for name, value in address.pop("headers"))
    where = Address(headers=headers, **address)
    if kind == "fetch":
        return FetchSpecification(address=where, **fields)
    return TrialSpecification(address=where, **fields)
