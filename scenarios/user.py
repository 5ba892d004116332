"""The Locust user around the timed client, and the one trial that all users take part in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import cast

import gevent
from gevent.event import Event
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from results.records import AS_PLANNED
from scenarios.arrival import StampClock
from scenarios.client import Request, TimedClient
from scenarios.exchange import Exchange, Window
from scenarios.expected import Expected
from scenarios.pace import Pace
from scenarios.polling import PollClock
from scenarios.specification import SlowReader, TrialSpecification

#: How long a user waits after a failure, so that a dead server is not asked in a tight loop.
PAUSE_AFTER_FAILURE_S = 0.05
MOST_ERROR_TEXTS = 20


class Trial:
    """The state of one trial's load: whether to go on asking, and the records so far.

    So many ``users`` take part; ``fire`` is Locust's request event. ``offsets_ns`` is the schedule of an
    open loop, from ``begun_ns`` on. What is asked beside it shares its ``clock``. Records say that this
    ``worker`` made them.
    """

    def __init__(
        self,
        specification: TrialSpecification,
        window: Window,
        polls: PollClock,
        *,
        users: int,
        fire: Callable[..., None],
        offsets_ns: Sequence[int] = (),
        clock: StampClock | None = None,
        worker: int = 0,
    ) -> None:
        self.worker = worker
        self.specification = specification
        self.clock = clock or StampClock()
        self.polls = polls
        self.window = window
        self.begun_ns = window.open_ns - round(specification.warmup_s * 1e9)
        self.offsets_ns = offsets_ns
        self.issuing = True
        self.issued = 0
        self.packed = bytearray()
        self.follow_ups = bytearray()
        self.errors: Counter[str] = Counter()
        self.drained = Event()
        self._active = users
        self._users = 0
        self._fire = fire
        address = specification.address
        self.request = Request.to(address)
        self.expected = Expected(specification.status, specification.body_bytes, specification.digest)

    def join(self) -> int:
        """A user takes part; its number."""
        self._users += 1
        return self._users - 1

    def leave(self) -> None:
        """A user is done; after the last one the trial is drained."""
        self._active -= 1
        if not self._active:
            self.drained.set()

    def new_client(self) -> TimedClient:
        """A client of the trial's server, not connected yet."""
        address = self.specification.address
        return TimedClient(
            address.host,
            address.port,
            timeout_s=address.timeout_s,
            clock=self.clock,
            polls=self.polls,
            pace=self._new_pace(),
        )

    def _new_pace(self) -> Pace | None:
        """A slow reader's own, which is let go when the window closes: what is left is read and verified."""
        load = self.specification.load
        return Pace(load.bytes_per_second, self.window.close_ns) if isinstance(load, SlowReader) else None

    def new_exchange(self) -> Exchange:
        """An empty exchange for the trial's request."""
        given = self.specification
        return Exchange(given.address.method, self.window, given.row_marker, given.body_bytes)

    def ask(self, user: int, client: TimedClient, new_exchange: Callable[[], Exchange]) -> Exchange:
        """Perform the trial's request, judge its response and record it."""
        self.issued += 1
        exchange = client.perform(self.request, new_exchange)
        exchange.judge(self.expected)
        self.record(user, exchange)
        return exchange

    def record(self, user: int, exchange: Exchange) -> None:
        """Keep what became of one request, and tell Locust's listeners."""
        self.packed += exchange.pack(user, self.worker)
        if exchange.outcome not in AS_PLANNED:
            known = exchange.error in self.errors or len(self.errors) < MOST_ERROR_TEXTS
            self.errors[exchange.error if known else "other failures"] += 1
        self._fire(
            request_type=self.request.method,
            name=self.specification.name,
            response_time=max(exchange.last_ns - exchange.sent_ns, 0) / 1e6,
            response_length=exchange.body_bytes,
            exception=RuntimeError(exchange.error) if exchange.error else None,
            context={},
        )


class TrialEnvironment(Environment):
    """Locust's environment with the trial that its users take part in."""

    trial: Trial


def without_statistics(environment: Environment) -> None:
    """Take Locust's statistics off: nobody reads them, and they cost a quarter of a small request."""
    request = environment.events.request
    request.remove_listener(request._handlers[0])  # type: ignore[no-untyped-call]  # they are the first


class StreamUser(User):
    """Asks for the response again and again while the trial is issuing."""

    abstract = False

    @task
    def download(self) -> None:
        """Closed loop: the next request goes out when the last response is through.

        The loop is here and not in Locust, whose scheduling costs more than a small request does.
        """
        trial = cast("TrialEnvironment", self.environment).trial
        number = trial.join()
        client = trial.new_client()
        try:
            while trial.issuing:
                exchange = trial.ask(number, client, trial.new_exchange)
                if exchange.error:
                    gevent.sleep(PAUSE_AFTER_FAILURE_S)
        finally:
            client.close()
            trial.leave()
        raise StopUser
