"""The server that is asked: where it listens, and what its witness says of each request."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic_ns
from urllib.parse import urlencode

from harness.conformance.asker import Asker
from harness.conformance.testimony import Account, Testimony
from harness.conformance.wire import Response

#: How long a server may take over a request that costs nothing, on a machine that is busy.
PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Subject:
    """A server of `targets.witness`; ``pid`` is its first process, ``options`` are those in force."""

    port: int
    pid: int
    testimony: Testimony
    options: Mapping[str, str | int] = field(default_factory=dict)

    @contextmanager
    def visit(
        self,
        path: str = "/stream",
        *,
        method: str = "GET",
        version: str = "1.1",
        receive_buffer_bytes: int | None = None,
        **query: int,
    ) -> Iterator[Visit]:
        """One request on a connection of its own, which is closed with the block. Raises Unreachable."""
        with Asker(self.port, receive_buffer_bytes) as asker:
            request = secrets.token_hex(4)
            sent_ns = monotonic_ns()
            response = asker.send(
                f"{path}?{urlencode({'id': request, **query})}", method=method, version=version
            )
            yield Visit(asker, response, self.testimony, request, sent_ns)

    def answer_time_ns(self, patience_s: float = PATIENCE_S) -> int | None:
        """How long another, small request takes; None where there is no answer for so long."""
        with Asker(self.port) as asker:
            begun_ns = monotonic_ns()
            response = asker.read(asker.send("/"), patience_s=patience_s)
            return monotonic_ns() - begun_ns if response.whole and response.status == 200 else None


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that was sent, its response as far as it was read, and what the app did for it."""

    asker: Asker
    response: Response
    testimony: Testimony
    request: str
    sent_ns: int

    def read(self, patience_s: float = PATIENCE_S) -> Response:
        """Read the response to its end, or until nothing comes for so long."""
        return self.asker.read(self.response, patience_s=patience_s)

    def read_bytes(self, count: int) -> Response:
        """Read until there are so many bytes of the body."""
        return self.asker.read(
            self.response, patience_s=PATIENCE_S, until=lambda response: len(response.body) >= count
        )

    @property
    def account(self) -> Account:
        """What the app did so far."""
        return self.testimony.account(self.request)

    def await_event(self, name: str, patience_s: float = PATIENCE_S) -> Account:
        """The same, as soon as there is such an event, or when patience is over."""
        return self.testimony.await_event(self.request, name, patience_s)
