"""One load process of several: it does its share of each trial and hands over every record.

Run as ``python -P -m scenarios.workers.worker SETTINGS``, a JSON object (`Settings`), with the run's token in
STREAMGAUGE_TOKEN. What becomes of it is told in lines of JSON on the standard output. Importing this imports
Locust.
"""

from __future__ import annotations

import gc
import http.client
import json
import logging
import os
import socket
import sys
import traceback
from collections import Counter
from dataclasses import replace
from time import monotonic_ns
from typing import Any

import gevent
import locust.runners
import locust.stats
import zmq
from gevent.event import AsyncResult, Event
from locust.exception import RPCError
from locust.rpc.protocol import Message
from locust.runners import WorkerRunner
from zmq.utils.monitor import parse_monitor_message

from results.errors import ExitCode
from scenarios.machine import read_machine, steal_share, throttled_ns
from scenarios.polling import PollClock
from scenarios.specification import TrialSpecification, authority_of, from_message
from scenarios.trial import USERS, WorkerCrowd, run_trial
from scenarios.user import TrialEnvironment, without_statistics
from scenarios.workers import messages
from scenarios.workers.clocks import own_clock
from scenarios.workers.settings import TOKEN_VARIABLE, Settings
from scenarios.workers.sockets import Client, lock

_JOIN_EVERY_S = 1.0
#: As long as the master is heard every second, there is no need to join again.
_UNHEARD_NS = 3_000_000_000
#: Records that the master does not acknowledge for so long (s) are let go: it has given up on that trial.
_LONGEST_PAUSE_S = 20.0
_TRUTH_TIMEOUT_S = 30.0
_NEVER_S = 10.0**9
#: So long (s) has what it said last to leave this machine.
_FAREWELL_S = 0.2
#: So often at most is the master looked for.
_MOST_TIMES = 300
#: One handshake may fail for a master that is just ending.
_MOST_REFUSALS = 3


def tell(event: str, **told: Any) -> None:
    """A line for who started this process."""
    print(json.dumps({"event": event, **told}), flush=True)


class _NotDone(Exception):  # noqa: N818  - named for what happened
    """A share cannot be done, or its records are not taken; the message says why.

    ``late_ns``: so long after its begin this worker was told of it; 0 for any other reason.
    """

    def __init__(self, why: str, late_ns: int = 0) -> None:
        super().__init__(why)
        self.late_ns = late_ns


class Worker:
    """Joins, does what it is sent and hands over what it saw, until the run is over."""

    def __init__(self, settings: Settings, environment: TrialEnvironment, runner: WorkerRunner) -> None:
        self._settings = settings
        self._environment = environment
        self._runner = runner
        self._crowd = WorkerCrowd(runner)
        self._polls = PollClock()
        self._heard_ns = monotonic_ns()
        self._shows: bool | None = None
        self._number: int | None = None
        self._conductor: gevent.Greenlet | None = None
        self._trial = 0
        self._taken = 0
        self._took = Event()
        self.ended: AsyncResult = AsyncResult()
        """Its exit code and why."""
        for name, listener in (
            (messages.WELCOME, self._on_welcome),
            (messages.REFUSED, self._on_refused),
            (messages.PING, self._on_ping),
            (messages.TRIAL, self._on_trial),
            (messages.DROP, self._on_drop),
            (messages.TOOK, self._on_took),
            (messages.END, self._on_end),
        ):
            runner.register_message(name, listener)
        environment.events.heartbeat_received.add_listener(self._on_heartbeat)  # type: ignore[no-untyped-call]
        gevent.spawn(self._stay_joined)

    def _stay_joined(self) -> None:
        """Say who it is, and again whenever the master is silent: it may be another one by then."""
        said = {
            "version": messages.own_version(),
            "clock": list(own_clock()),
            "dropped": None,
            **{name: getattr(self._settings, name) for name in ("name", "host", "system", "cpu", "core")},
        }
        while True:
            silent_ns = monotonic_ns() - self._heard_ns
            if silent_ns > self._settings.patience_s * 1e9:
                self.ended.set((ExitCode.INVALID, f"the master was not heard of for {silent_ns / 1e9:.0f} s"))
                return
            if self._shows is None or silent_ns > _UNHEARD_NS:
                # its trial is lost: load that goes on would disturb the next one
                if self._conductor is not None and not self._conductor.ready():
                    said["dropped"] = self._trial
                self._stop_conducting()
                try:
                    # Locust's own books of who is there, then ours
                    self._send("client_ready", locust.__version__)
                    self._send(messages.JOIN, said)
                except RPCError as error:  # too much waits to be sent already
                    print(f"the master was not told: {error}", file=sys.stderr)
            gevent.sleep(_JOIN_EVERY_S)

    def _send(self, name: str, data: Any) -> None:
        self._runner.client.send(Message(name, data, self._runner.client_id))  # type: ignore[no-untyped-call]

    # --- what the master says ---

    def _on_heartbeat(self, **_: object) -> None:
        self._heard_ns = monotonic_ns()

    def _on_welcome(self, msg: Message, **_: object) -> None:
        was_silent = monotonic_ns() - self._heard_ns > _UNHEARD_NS
        self._heard_ns = monotonic_ns()
        if was_silent or self._number != msg.data["worker"]:  # what it has said meanwhile is answered at once
            self._number = msg.data["worker"]
            tell("joined", worker=self._number)
        if self._shows is None:
            self._shows = bool(msg.data["shows"])
            if not self._shows:
                without_statistics(self._environment)
            gc.freeze()

    def _on_refused(self, msg: Message, **_: object) -> None:
        self.ended.set((ExitCode.USAGE, f"the run does not take this worker: {msg.data['why']}"))

    def _on_ping(self, msg: Message, **_: object) -> None:
        received_ns = monotonic_ns()
        told = {"number": msg.data["number"], "received_ns": received_ns}
        self._send(messages.PONG, {**told, "answered_ns": monotonic_ns()})

    def _on_trial(self, msg: Message, **_: object) -> None:
        self._stop_conducting()
        self._trial = msg.data["trial"]
        self._conductor = gevent.spawn(self._conduct, msg.data)

    def _on_drop(self, msg: Message, **_: object) -> None:
        if msg.data["trial"] == self._trial:
            self._stop_conducting()

    def _on_took(self, msg: Message, **_: object) -> None:
        if msg.data["trial"] == self._trial:
            self._heard_ns = monotonic_ns()  # on a slow line heartbeats wait behind records
            self._taken = msg.data["part"] + 1
            self._took.set()

    def _on_end(self, msg: Message, **_: object) -> None:
        self._stop_conducting()
        self._send(messages.ENDED, None)
        self.ended.set((ExitCode.GOOD, str(msg.data["why"])))

    # --- a trial ---

    def _stop_conducting(self) -> None:
        """One trial at a time: the master has given up on one that is still under way."""
        if self._conductor is not None:
            self._conductor.kill()
            self._conductor = None

    def _conduct(self, given: dict[str, Any]) -> None:
        trial = given["trial"]
        try:
            answer, packed = self._run(given)
            self._hand_over(trial, packed)
            self._send(messages.DONE, {"trial": trial, "answer": {**answer, "sent_bytes": len(packed)}})
            if not answer["truth_bytes"]:  # a calibration is none
                tell("trial", requests=answer["recorded"])
            if self._shows:
                self._runner._send_stats()
        except _NotDone as error:
            self._send(messages.FAILED, {"trial": trial, "why": str(error), "late_ns": error.late_ns})
        except Exception as error:  # noqa: BLE001  - whatever it is, the master is to know, and this goes on
            traceback.print_exc()
            self._send(messages.FAILED, {"trial": trial, "why": repr(error), "late_ns": 0})

    def _run(self, given: dict[str, Any]) -> tuple[dict[str, Any], bytearray]:
        """The share's records; of a calibration, behind them what the reference server here knows.

        Raises _NotDone where it cannot be done.
        """
        late_ns = monotonic_ns() - given["begin_ns"]
        if late_ns > 0:
            raise _NotDone(f"it was told of the trial {late_ns / 1e6:.0f} ms after its begin", late_ns)
        specification = from_message(given["specification"])
        assert isinstance(specification, TrialSpecification)  # noqa: S101  - nothing else is shared
        port = self._settings.reference_port
        is_calibration = specification.address.port == 0
        if is_calibration:
            if port is None:
                raise _NotDone("it has no reference server to calibrate its clock against")
            address = replace(specification.address, port=port)
            specification = replace(specification, address=address)
        own_core = None if self._settings.core is None else [self._settings.core]
        machine = read_machine(own_core)
        answer, packed = run_trial(
            self._environment,
            self._crowd,
            specification,
            self._polls,
            begin_ns=given["begin_ns"],
            worker=given["worker"],
        )
        after = read_machine(own_core)
        truth = _truth(port) if is_calibration and port is not None else b""
        packed += truth
        seen = {
            "machine_steal": steal_share(machine, after),
            "machine_throttled_ns": throttled_ns(machine, after),
            "truth_bytes": len(truth),
        }
        return {**answer, **seen}, packed

    def _hand_over(self, trial: int, packed: bytearray) -> None:
        """All records in parts, of which so many at most are under way. Raises _NotDone."""
        self._taken = 0
        view = memoryview(packed)
        for part, begin in enumerate(range(0, len(view), messages.PART_BYTES)):
            while part - self._taken >= messages.PARTS_AHEAD:
                self._took.clear()
                if not self._took.wait(_LONGEST_PAUSE_S):
                    raise _NotDone(f"its records were not acknowledged for {_LONGEST_PAUSE_S:g} s")
            piece = bytes(view[begin : begin + messages.PART_BYTES])
            self._send(messages.PART, {"trial": trial, "part": part, "packed": piece})


def _truth(port: int) -> bytes:
    """What the reference server of this machine knows of the requests that it answered last."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TRUTH_TIMEOUT_S)
    try:
        connection.request("GET", "/truth")
        return connection.getresponse().read()
    finally:
        connection.close()


def _connected(settings: Settings, environment: TrialEnvironment) -> WorkerRunner:
    """Locust's runner, once the master has answered. Raises ConnectionError with the likely reason."""
    runners: Any = locust.runners
    # each time is one frame of a recursion, and one message that waits to be sent
    runners.CONNECT_TIMEOUT = max(1.0, settings.patience_s / _MOST_TIMES)
    runners.CONNECT_RETRY_COUNT = max(1, round(settings.patience_s / runners.CONNECT_TIMEOUT))
    runners.WORKER_REPORT_INTERVAL = _NEVER_S  # what nobody reads would wake the loop up in a window
    runners.WORKER_LOG_REPORT_INTERVAL = -1
    runners.MASTER_HEARTBEAT_TIMEOUT = _NEVER_S  # `Worker` has its own patience
    locust.stats.CONSOLE_STATS_INTERVAL_SEC = round(_NEVER_S)
    seen: Counter[int] = Counter()
    watch = gevent.spawn(_watch_handshakes, seen)
    try:
        return environment.create_worker_runner(settings.master_host, settings.master_port)
    except ConnectionError as error:
        if error.args:
            raise
        where = authority_of(settings.master_host, settings.master_port)
        if _refusals(seen):
            why = f"whoever listens on {where} does not know this token: use the one that the run was given"
        else:
            why = _unknown(settings.master_host) or (
                f"no run listens on {where}: start it with --listen, and see that its port can be reached"
            )
        raise ConnectionError(why) from error
    finally:
        watch.kill()


def _unknown(host: str) -> str | None:
    """That a name has no address that could be asked; null where it has one."""
    try:
        socket.getaddrinfo(host, None, socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        return f"no IPv4 address of {host} is known here ({error.strerror}): give the one that the run told"
    return None


def _refusals(seen: Counter[int]) -> int:
    return seen[zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL] + seen[zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL]


def _watch_handshakes(seen: Counter[int]) -> None:
    """Count what becomes of the connections of the first client that is made; a lock stays locked."""
    while not Client.made:
        gevent.sleep(0.01)
    monitor = Client.made[-1].socket.get_monitor_socket()
    while True:
        seen[parse_monitor_message(monitor.recv_multipart())["event"]] += 1
        if _refusals(seen) >= _MOST_REFUSALS:
            runners: Any = locust.runners
            runners.CONNECT_RETRY_COUNT = 0  # the next look is the last


def main() -> int:
    """Serve the run that the settings name; the exit code."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    settings = Settings(**json.loads(sys.argv[1]))
    lock(os.environ.pop(TOKEN_VARIABLE))
    environment = TrialEnvironment(user_classes=list(USERS))
    try:
        runner = _connected(settings, environment)
    except ConnectionError as error:
        tell("ended", code=ExitCode.INVALID, why=str(error))
        return ExitCode.INVALID
    code, why = Worker(settings, environment, runner).ended.get()
    tell("ended", code=code, why=why)
    gevent.sleep(_FAREWELL_S)
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
