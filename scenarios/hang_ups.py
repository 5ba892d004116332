"""The Locust user that hangs up in the middle of its response, and then asks whether the server goes on."""

from __future__ import annotations

from typing import cast

import gevent
from locust import User, task
from locust.exception import StopUser

from results.follow_ups import STRUCT
from results.records import MISSING, Outcome
from scenarios.client import Request, TimedClient
from scenarios.exchange import NEVER_NS, Exchange, Window
from scenarios.leaving import READ_BYTES, LeavingExchange
from scenarios.specification import Address, HangUp, Leaving
from scenarios.user import PAUSE_AFTER_FAILURE_S, Trial, TrialEnvironment

#: From here on a status says that the server failed, as when it is waited for.
_FAILING_STATUS = 500


class HangUpUser(User):
    """Leaves when enough has come, by closing the connection as a browser does whose tab is closed.

    Where bytes lie unread, which is the rule, the kernel then sends RST (RFC 1122, 4.2.2.13); else FIN, and
    RST in answer to whatever still comes.
    """

    abstract = False

    @task
    def hang_up(self) -> None:
        """Closed loop: ask, leave, ask something small on a new connection, begin again."""
        trial = cast("TrialEnvironment", self.environment).trial
        given = trial.specification
        load, leaving, small = cast("HangUp", given.load), given.leaving, given.small
        assert leaving is not None  # noqa: S101  - a specification that hangs up has both
        assert small is not None  # noqa: S101
        number = trial.join()
        address = given.address
        client = TimedClient(
            address.host,
            address.port,
            timeout_s=address.timeout_s,
            clock=trial.clock,
            polls=trial.polls,
            most_read_bytes=READ_BYTES,
        )
        try:
            while trial.issuing:
                exchange = trial.ask(number, client, lambda: self._new_exchange(trial, leaving))
                if exchange.outcome is Outcome.HUNG_UP:
                    answered_ns = self._follow_up(trial, small, load.patience_s)
                    trial.follow_ups += STRUCT.pack(exchange.last_ns, answered_ns, trial.worker)
                else:
                    gevent.sleep(PAUSE_AFTER_FAILURE_S)
        finally:
            client.close()
            trial.leave()
        raise StopUser

    @staticmethod
    def _new_exchange(trial: Trial, leaving: Leaving) -> LeavingExchange:
        given = trial.specification
        return LeavingExchange(
            given.address.method, trial.window, given.row_marker, leaving, given.body_bytes
        )

    @staticmethod
    def _follow_up(trial: Trial, small: Address, patience_s: float) -> int:
        """When the small request was answered (CLOCK_MONOTONIC ns); MISSING where it was not."""
        client = TimedClient(
            small.host, small.port, timeout_s=patience_s, clock=trial.clock, polls=trial.polls
        )
        try:
            exchange = client.perform(
                Request.to(small), lambda: Exchange(small.method, Window(NEVER_NS, NEVER_NS))
            )
        finally:
            client.close()
        answered = exchange.complete and not exchange.error and exchange.status < _FAILING_STATUS
        return exchange.last_ns if answered else MISSING
