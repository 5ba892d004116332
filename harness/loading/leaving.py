"""What verify learns for clients that hang up: how much of a response they read, and what that must be."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import xxhash

from harness.suites.matrix import PlannedCase
from results.records import Verification
from scenarios.specification import HangUp, Leaving

_PIECE_BYTES = 1 << 20


def with_prefix(planned: PlannedCase, found: Verification, body: Path) -> Verification:
    """With the hash of what a client has read of this body when it hangs up, where the case's does."""
    if not isinstance(planned.load, HangUp):
        return found
    size = _leaving_bytes(planned.load, found.body_bytes)
    return replace(found, prefix_bytes=size, prefix_digest=digest_of(body, size))


def leaving_of(planned: PlannedCase, expected: Verification) -> Leaving | None:
    """When a client of this case hangs up; None where it does not."""
    if expected.prefix_bytes is None or expected.prefix_digest is None:
        return None
    exact = planned.target.check == "bytes"
    return Leaving(expected.prefix_bytes, int(expected.prefix_digest, 16) if exact else None)


def has_no_middle(planned: PlannedCase, found: Verification) -> bool:
    """Whether a response is too short for the case's clients to leave before its end."""
    load = planned.load
    return isinstance(load, HangUp) and _leaving_bytes(load, found.body_bytes) >= found.body_bytes


def _leaving_bytes(load: HangUp, body_bytes: int) -> int:
    return max(1, math.ceil(load.after * body_bytes))


def digest_of(body: Path, most_bytes: int = sys.maxsize) -> str:
    """The xxh3_64 of a file, or of no more than its first bytes, as 16 hex digits."""
    digest = xxhash.xxh3_64()
    with body.open("rb") as file:
        while piece := file.read(min(_PIECE_BYTES, most_bytes)):
            digest.update(piece)
            most_bytes -= len(piece)
    return digest.hexdigest()
