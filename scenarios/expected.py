"""What verify learned of a response, and what is wrong with one that is not like it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from results.records import Outcome


@dataclass(frozen=True, slots=True)
class Expected:
    """What verify learned of a response, its content encoding undone.

    ``digest`` (xxh3_64) is None where the suite relaxes it.
    """

    status: int
    body_bytes: int
    digest: int | None

    def unlike(self, status: int, body_bytes: int, digest: Callable[[], int]) -> tuple[Outcome, str] | None:
        """How a complete response differs from it, the gravest first; null where it does not."""
        if status != self.status:
            return Outcome.WRONG_STATUS, f"status {status} instead of {self.status}"
        if body_bytes != self.body_bytes:
            return Outcome.WRONG_LENGTH, f"{body_bytes:,} bytes of body instead of {self.body_bytes:,}"
        if self.digest is not None and digest() != self.digest:
            return Outcome.WRONG_BYTES, (
                "the body's bytes are not the ones that verify saw; if the page changes by itself, set "
                'check = "length" in its target'
            )
        return None
