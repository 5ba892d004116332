"""The Locust user of an open loop: requests go out on schedule, whatever became of earlier ones."""

from __future__ import annotations

from collections import deque
from functools import partial
from time import monotonic_ns
from typing import cast

import gevent
from gevent.event import Event
from locust import User, task
from locust.exception import StopUser

from results.records import Outcome
from scenarios.alarm import new_alarm
from scenarios.client import TimedClient
from scenarios.exchange import Exchange
from scenarios.specification import Arrivals
from scenarios.user import Trial, TrialEnvironment


class ArrivalsUser(User):
    """One of them conducts all connections of a trial."""

    abstract = False

    @task
    def conduct(self) -> None:
        """Open loop: the schedule says when a request goes out."""
        trial = cast("TrialEnvironment", self.environment).trial
        try:
            Dispatcher(trial, cast("Arrivals", trial.specification.load)).conduct()
        finally:
            trial.leave()
        raise StopUser


class Dispatcher:
    """Hands each request, at its instant, to the connection that was used last of those that are free.

    A connection is made where none is free. Where there are as many as there may be, the request waits for
    one: it starts late, and its record says so.
    """

    def __init__(self, trial: Trial, load: Arrivals) -> None:
        self._trial = trial
        self._most = load.most_in_flight
        self._hub = gevent.get_hub()
        self._alarm = new_alarm(self._ring)
        self._handed_over = 0
        self._connections: list[gevent.Greenlet] = []
        self._free: list[gevent.Greenlet] = []
        self._waiting: deque[int] = deque()
        self._through = Event()

    def conduct(self) -> None:
        """From the first request to the end of the last response."""
        try:
            self._ring()
            if self._trial.offsets_ns:
                self._through.wait()
        finally:
            self._alarm.close()
            gevent.killall(self._connections)

    def _ring(self) -> None:
        """Hand over what is due, and have the alarm set for what is next."""
        offsets_ns, begun_ns = self._trial.offsets_ns, self._trial.begun_ns
        while self._handed_over < len(offsets_ns):
            intended_ns = begun_ns + offsets_ns[self._handed_over]
            if intended_ns > monotonic_ns():
                self._alarm.set(intended_ns)
                return
            self._handed_over += 1
            self._hand_over(intended_ns)

    def _hand_over(self, intended_ns: int) -> None:
        if self._free:
            self._free.pop().switch(intended_ns)
        elif len(self._connections) < self._most:
            self._connections.append(gevent.spawn(self._serve, len(self._connections), intended_ns))
        else:
            self._waiting.append(intended_ns)

    def _serve(self, number: int, intended_ns: int) -> None:
        """One connection's greenlet: a request after the other, free in between."""
        client = self._trial.new_client()
        try:
            while True:
                self._ask(number, client, intended_ns)
                if self._waiting:
                    intended_ns = self._waiting.popleft()
                    continue
                self._free.append(gevent.getcurrent())
                if len(self._free) == len(self._connections) and self._is_last():
                    self._through.set()
                # To the event loop, until `_hand_over` comes back with a request.
                intended_ns = self._hub.switch()
        finally:
            client.close()
            self._through.set()  # who gets here before the end has failed: nothing waits for it

    def _is_last(self) -> bool:
        return self._handed_over == len(self._trial.offsets_ns)

    def _ask(self, number: int, client: TimedClient, intended_ns: int) -> None:
        trial = self._trial
        late_ns = monotonic_ns() - intended_ns
        timeout_s = trial.specification.address.timeout_s
        if late_ns <= timeout_s * 1e9:
            trial.ask(number, client, partial(self._new_exchange, intended_ns, late_ns))
            return
        exchange = self._new_exchange(intended_ns, late_ns)
        exchange.fail(Outcome.TIMED_OUT, f"none of {self._most} connections was free for {timeout_s:g} s")
        trial.issued += 1
        trial.record(number, exchange)

    def _new_exchange(self, intended_ns: int, late_ns: int) -> Exchange:
        exchange = self._trial.new_exchange()
        exchange.intended_ns = intended_ns
        exchange.late_ns = late_ns
        return exchange
