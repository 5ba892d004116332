"""The Locust user around the timed client, and the one trial that all users take part in."""

from __future__ import annotations

from collections import Counter
from typing import cast

import gevent
from gevent.event import Event
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from results.records import Outcome
from scenarios.arrival import StampClock
from scenarios.client import Request, TimedClient
from scenarios.exchange import Exchange, Expected, Window
from scenarios.polling import PollClock
from scenarios.specification import TrialSpecification

#: How long a user waits after a failure, so that a dead server is not asked in a tight loop.
PAUSE_AFTER_FAILURE_S = 0.05
MOST_ERROR_TEXTS = 20


class Trial:
    """The state of one trial's load: whether to go on asking, and the records so far."""

    def __init__(self, specification: TrialSpecification, window: Window, polls: PollClock) -> None:
        self.specification = specification
        self.clock = StampClock()
        self.polls = polls
        self.window = window
        self.issuing = True
        self.issued = 0
        self.packed = bytearray()
        self.errors: Counter[str] = Counter()
        self.drained = Event()
        self._active = specification.users
        self._users = 0
        address = specification.address
        self.request = Request(
            method=address.method,
            path=address.path,
            headers=address.headers,
            close=not address.keep_alive,
            host=f"{address.host}:{address.port}",
        )
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

    def new_exchange(self) -> Exchange:
        """An empty exchange for the trial's request."""
        return Exchange(self.specification.address.method, self.window, self.specification.row_marker)

    def record(self, user: int, exchange: Exchange) -> None:
        """Keep what became of one request."""
        self.packed += exchange.pack(user)
        if exchange.outcome is not Outcome.VERIFIED:
            known = exchange.error in self.errors or len(self.errors) < MOST_ERROR_TEXTS
            self.errors[exchange.error if known else "other failures"] += 1


class TrialEnvironment(Environment):
    """Locust's environment with the trial that its users take part in."""

    trial: Trial


class StreamUser(User):
    """Asks for the response again and again while the trial is issuing."""

    abstract = False

    @task
    def download(self) -> None:
        """Closed loop: the next request goes out when the last response is through.

        The loop is here and not in Locust, whose scheduling costs more than a small request does.
        """
        trial = cast("TrialEnvironment", self.environment).trial
        specification = trial.specification
        address = specification.address
        fire = self.environment.events.request.fire
        number = trial.join()
        client = TimedClient(
            address.host, address.port, timeout_s=address.timeout_s, clock=trial.clock, polls=trial.polls
        )
        try:
            while trial.issuing:
                trial.issued += 1
                exchange = client.perform(trial.request, trial.new_exchange)
                exchange.judge(trial.expected)
                trial.record(number, exchange)
                fire(
                    request_type=address.method,
                    name=specification.name,
                    response_time=max(exchange.last_ns - exchange.sent_ns, 0) / 1e6,
                    response_length=exchange.body_bytes,
                    exception=RuntimeError(exchange.error) if exchange.error else None,
                    context={},
                )
                if exchange.error:
                    gevent.sleep(PAUSE_AFTER_FAILURE_S)
        finally:
            client.close()
            trial.leave()
        raise StopUser
