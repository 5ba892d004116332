"""The load driver: one long-lived child process, Locust as a library.

It takes one message after another over a link and answers each; the first says whether it makes the load
itself (``alone``) or workers do (``gather``). It ends when the link does. Run as
``python -P -m scenarios.driver SOCKET_PATH``. Importing this module imports Locust, which patches the
standard library for gevent: only this process and a worker's may do it.
"""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
import locust.stats
from gevent import socket
from locust.exception import RPCError

from scenarios.arrival import StampClock
from scenarios.client import Request, TimedClient
from scenarios.exchange import NEVER_NS, Window
from scenarios.kept import KeptExchange, NotKept
from scenarios.link import HEARTBEAT, HEARTBEAT_EVERY_S, Link, LinkClosed
from scenarios.polling import PollClock
from scenarios.specification import FetchSpecification, TraceSpecification, TrialSpecification, from_message
from scenarios.traced import trace
from scenarios.trial import USERS, LocalCrowd, run_trial
from scenarios.user import TrialEnvironment, without_statistics
from scenarios.web_ui import show
from scenarios.workers.master import Master, TooFewWorkers, WorkerLost
from scenarios.workers.sockets import lock


class Driver:
    """Answers messages: with its own load, or with that of the workers that it has gathered."""

    def __init__(self, environment: TrialEnvironment, link: Link) -> None:
        self._environment = environment
        self._link = link
        self._polls = PollClock()
        self._crowd: LocalCrowd | None = None
        self._master: Master | None = None

    def serve(self) -> None:
        """Until the harness is gone."""
        gc.freeze()
        while True:
            try:
                message, _ = self._link.receive()
                self._link.send(*self._answer(message))
            except LinkClosed:
                return

    def _answer(self, message: dict[str, Any]) -> tuple[dict[str, Any], bytes | bytearray]:
        of_the_crew = {
            "alone": self._alone,
            "gather": self._gather,
            "muster": self._muster,
            "dismiss": self._dismiss,
        }
        if message["kind"] in of_the_crew:
            return of_the_crew[message["kind"]](message), b""
        only = message.pop("only_worker", None)
        specification = from_message(message)
        if isinstance(specification, FetchSpecification):
            return _fetch(specification, self._polls), b""
        if isinstance(specification, TraceSpecification):
            return trace(specification, self._polls)
        if self._master is not None:
            return self._shared(self._master, specification, only)
        assert self._crowd is not None  # noqa: S101  - the first message has made one of both
        answer, packed = run_trial(self._environment, self._crowd, specification, self._polls)
        return {"shares": [{**answer, "arrived_bytes": len(packed)}]}, packed

    def _alone(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Make the load in this process, and show it where that is wanted."""
        self._crowd = LocalCrowd(self._environment.create_local_runner())
        if given["web_port"] is None:
            without_statistics(self._environment)
            return {}
        return self._show(given["web_port"])

    def _show(self, port: int) -> dict[str, Any]:
        try:
            show(self._environment, port)
        except OSError as error:
            return {"failure": str(error)}
        return {}

    def _gather(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Listen for workers: from now on they share each trial."""
        lock(given["token"])
        try:
            self._master = Master(
                self._environment,
                given["host"],
                given["port"],
                expected=given["expected"],
                enough=given["enough"],
                patience_s=given["patience_s"],
                first_number=given["first_number"],
                shows=given["web_port"] is not None,
            )
        except RPCError as error:
            return {"failure": str(error)}
        shown = {} if given["web_port"] is None else self._show(given["web_port"])
        return {"port": self._master.port, **shown}

    def _muster(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Who is there when all that are expected are, or when this has taken long enough."""
        assert self._master is not None  # noqa: S101  - gathered before
        complete = self._master.wait_for(given["expected"], given["within_s"])
        refusals, self._master.refusals = self._master.refusals, []
        return {"complete": complete, "workers": self._master.described(), "refusals": refusals}

    def _shared(
        self, master: Master, specification: TrialSpecification, only: int | None
    ) -> tuple[dict[str, Any], bytearray]:
        """The workers' answers; until then the harness hears that this process still waits for them."""
        beating = gevent.spawn(self._beat)
        try:
            shares, packed = master.run(specification, only)
        except WorkerLost as error:
            return {"lost": str(error), "workers": master.described()}, bytearray()
        except TooFewWorkers as error:
            return {"too_few": str(error), "workers": master.described()}, bytearray()
        finally:
            beating.kill()
        return {"shares": shares, "workers": master.described(), "awaited": master.awaited}, packed

    def _beat(self) -> None:
        while True:
            gevent.sleep(HEARTBEAT_EVERY_S)
            try:
                self._link.send({"kind": HEARTBEAT})
            except LinkClosed:  # the answer will not arrive either
                return

    def _dismiss(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Let the workers go."""
        assert self._master is not None  # noqa: S101  - gathered before
        self._master.end(given["why"])
        return {}


def _fetch(specification: FetchSpecification, polls: PollClock) -> dict[str, Any]:
    address = specification.address
    client = TimedClient(
        address.host, address.port, timeout_s=address.timeout_s, clock=StampClock(), polls=polls
    )
    request = Request.to(replace(address, keep_alive=False))
    try:
        with Path(specification.keep_in).open("wb") as file:
            exchange = client.perform(
                request,
                lambda: KeptExchange(
                    address.method, Window(NEVER_NS, NEVER_NS), file, specification.most_bytes
                ),
            )
    except (OSError, NotKept) as error:
        return {"failure": f"the body cannot be kept for comparison in {specification.keep_in}: {error}"}
    return {
        "status": exchange.status,
        "body_bytes": exchange.body_bytes,
        "digest": exchange.digest(),
        "encoding": exchange.encoding,
        "framing": exchange.framing,
        "chunks": exchange.chunks.count or None,
        "first_chunk_bytes": exchange.chunks.first,
        "median_chunk_bytes": exchange.chunks.median,
        "failure": exchange.error or None,
        "unended": exchange.unended,
    }


def main() -> None:
    """Connect to the harness and serve it."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    # Locust's own console statistics would wake up the loop in the middle of a window.
    locust.stats.CONSOLE_STATS_INTERVAL_SEC = 3600
    environment = TrialEnvironment(user_classes=list(USERS))
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(sys.argv[1])
    Driver(environment, Link(connection)).serve()


if __name__ == "__main__":
    main()
