"""The master: it gathers workers, has each do its share of a trial, and takes over all of their records.

Importing this imports Locust. Only its runner's sockets, heartbeats and tables are used; whom a trial is
shared among, when it begins and what became of it is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic_ns
from typing import Any

import gevent
from gevent.event import Event
from locust.rpc.protocol import Message
from locust.runners import MasterRunner

from scenarios.specification import TrialSpecification, to_message
from scenarios.user import TrialEnvironment
from scenarios.workers import messages
from scenarios.workers.clocks import SAME_CLOCK, Offset, Reading, offset_of, offset_over, own_clock
from scenarios.workers.sharing import shares

#: A worker says every second that it is there. One that was silent for so long was cut off in between.
SILENT_NS = 3_000_000_000
#: So much later than now does a trial begin, beyond what a message takes: all workers know of it by then. One
#: that was told too late has the next trials begin later, up to the longest.
_LEAD_NS = 100_000_000
_LONGEST_LEAD_NS = 3_000_000_000
_READINGS = 15
_LOOK_EVERY_S = 0.1
_GOODBYE_S = 3.0
#: Records that are handed over do not pause for so long (s).
_LONGEST_PAUSE_S = 30.0


class WorkerLost(Exception):  # noqa: N818  - named for what happened
    """A worker did not do its share: the trial cannot count."""


class TooFewWorkers(Exception):  # noqa: N818  - named for what happened
    """Fewer than a trial needs are there, and none came in time."""


@dataclass(slots=True)
class Member:
    """A worker that has joined. ``told`` is what it said of itself, ``heard_ns`` when it was last heard."""

    client: str
    number: int
    told: Mapping[str, Any]
    joined_utc: str
    heard_ns: int

    @property
    def name(self) -> str:
        """What messages call it by: two machines may have one name."""
        return f"{self.number} ({self.told['name']})"

    @property
    def machine(self) -> str:
        """What tells its machine from others, which may have the same name: the boot, where it is known."""
        return str([*self.told["clock"], self.told["host"]][0])

    @property
    def is_heard(self) -> bool:
        """Whether it is there, by its heartbeat."""
        return monotonic_ns() - self.heard_ns < SILENT_NS


@dataclass(slots=True)
class _Part:
    """What has come of one worker's share."""

    member: Member
    packed: bytearray = field(default_factory=bytearray)
    parts: int = 0
    answer: dict[str, Any] | None = None
    wrong: str | None = None
    heard_ns: int = 0


class Master:
    """Listens on ``host`` and ``port`` (0: any), to those who have the token that `sockets.lock` was given.

    ``expected`` workers share each trial, or as many as are there, but ``enough`` at least; whenever some are
    gone they are waited for up to ``patience_s``, and then those that are left go on. They are numbered from
    ``first_number`` on. With ``shows`` Locust's statistics are asked of the workers, after each trial.
    """

    def __init__(
        self,
        environment: TrialEnvironment,
        host: str,
        port: int,
        *,
        expected: int,
        enough: int,
        patience_s: float,
        first_number: int = 0,
        shows: bool = False,
    ) -> None:
        self._runner: MasterRunner = environment.create_master_runner(host, port)
        self._expected = expected
        self._enough = enough
        self._awaited = expected
        self._patience_s = patience_s
        self._shows = shows
        self._members: dict[str, Member] = {}
        self._next_number = first_number
        self._version = messages.own_version()
        self._clock = own_clock()
        self._trial = 0
        self._lead_ns = _LEAD_NS
        self._parts: dict[str, _Part] = {}
        self._untold: set[str] = set()
        self._changed = Event()
        self._pongs: dict[str, Callable[[Message], None]] = {}
        self.refusals: list[str] = []
        """Why some were not let in, for who waits for them."""
        for name, listener in (
            (messages.JOIN, self._on_join),
            (messages.PONG, self._on_pong),
            (messages.PART, self._on_part),
            (messages.DONE, self._on_done),
            (messages.FAILED, self._on_failed),
            (messages.ENDED, self._on_ended),
        ):
            self._runner.register_message(name, listener)
        environment.events.heartbeat_sent.add_listener(self._on_heartbeat)  # type: ignore[no-untyped-call]

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._runner.server.port)

    @property
    def present(self) -> list[Member]:
        """The workers that are there, by number."""
        return sorted((item for item in self._members.values() if item.is_heard), key=lambda one: one.number)

    @property
    def awaited(self) -> int:
        """So many share the trials by now: all that are expected, or those that are left."""
        return self._awaited

    def described(self) -> list[dict[str, Any]]:
        """Every worker that has joined, as `results.workers.Worker` has it."""
        return [
            {"number": item.number, "joined_utc": item.joined_utc}
            | {name: item.told[name] for name in ("name", "host", "version", "system", "cpu", "core")}
            for item in sorted(self._members.values(), key=lambda one: one.number)
        ]

    def wait_for(self, workers: int, within_s: float) -> bool:
        """Whether so many are there, now or within this time."""
        with gevent.Timeout(within_s, False):
            while len(self.present) < workers:
                self._changed.clear()
                self._changed.wait(_LOOK_EVERY_S)
        return len(self.present) >= workers

    def run(
        self, specification: TrialSpecification, only: int | None = None
    ) -> tuple[list[dict[str, Any]], bytearray]:
        """A trial by all that are expected, or by the ``only`` one of this number.

        What each answered, with how many bytes of records have arrived from it; the records of all, one
        worker's behind the other's. Raises WorkerLost and TooFewWorkers.
        """
        chosen = self._chosen(only)
        pieces = shares(specification, len(chosen))
        chosen = chosen[: len(pieces)]
        # a number that no other master has given: what is under way of a trial of theirs is told apart
        self._trial = monotonic_ns()
        self._parts = {member.client: _Part(member) for member in chosen}
        try:
            before = {member.client: self._offset(member) for member in chosen}
            begin_ns = monotonic_ns() + self._lead_ns + 4 * max(offset.bound_ns for offset in before.values())
            for member, piece in zip(chosen, pieces, strict=True):
                self._send(
                    messages.TRIAL,
                    member,
                    {
                        "trial": self._trial,
                        "begin_ns": begin_ns + before[member.client].offset_ns,
                        "specification": to_message(piece),
                        "worker": member.number,
                    },
                )
            self._await(begin_ns, specification)
            after = {member.client: self._offset(member) for member in chosen}
        except WorkerLost:
            for member in chosen:
                self._send(messages.DROP, member, {"trial": self._trial})
            raise
        finally:
            parts, self._parts = self._parts, {}
        return _handed_over(parts.values(), before, after)

    def end(self, why: str) -> None:
        """Tell all workers that the run is over, and wait a moment until they have heard it."""
        self._untold = {member.client for member in self.present}
        for member in self._members.values():
            self._send(messages.END, member, {"why": why})
        with gevent.Timeout(_GOODBYE_S, False):
            while self._untold:
                self._changed.clear()
                self._changed.wait(_LOOK_EVERY_S)

    def _chosen(self, only: int | None) -> list[Member]:
        if only is not None:
            found = [member for member in self.present if member.number == only]
            if not found:
                raise WorkerLost(f"worker {only} is not there any more")
            return found
        # one that is cut off for a moment is worth waiting for: with fewer, a trial would be another one. But
        # once only: who is gone for good would hold up each
        self.wait_for(self._awaited, self._patience_s)
        if len(self.present) < self._enough:
            self._awaited = self._expected
            there = ", ".join(member.name for member in self.present) or "none"
            raise TooFewWorkers(
                f"{len(self.present)} of {self._expected} workers are there ({there}), {self._enough} are "
                f"needed at least, and nobody came within {self._patience_s:g} s"
            )
        self._awaited = min(self._expected, len(self.present))
        return self.present[: self._expected]

    def _await(self, begin_ns: int, specification: TrialSpecification) -> None:
        """Until each has handed over its share. Raises WorkerLost."""
        deadline_ns = begin_ns + round(specification.takes_at_most_s * 1e9)
        while True:
            self._changed.clear()
            for part in self._parts.values():
                self._check(part, deadline_ns, specification.takes_at_most_s)
            if all(part.answer is not None for part in self._parts.values()):
                return
            self._changed.wait(_LOOK_EVERY_S)

    @staticmethod
    def _check(part: _Part, deadline_ns: int, longest_s: float) -> None:
        member, now = part.member, monotonic_ns()
        if part.wrong is not None:
            raise WorkerLost(f"worker {member.name} failed: {part.wrong}")
        silent_ns = now - member.heard_ns
        if silent_ns >= SILENT_NS:
            raise WorkerLost(f"worker {member.name} was not heard of for {silent_ns / 1e9:.1f} s")
        if part.answer is None and now > max(deadline_ns, part.heard_ns + round(_LONGEST_PAUSE_S * 1e9)):
            raise WorkerLost(f"worker {member.name} had not handed over its records after {longest_s:g} s")

    def _offset(self, member: Member) -> Offset:
        """Its clock against ours, just now. Raises WorkerLost.

        What it says of its clock is not enough to take it for ours: two machines that were restored from one
        snapshot say the same.
        """
        if self._clock and list(member.told["clock"]) == list(self._clock):
            seen = offset_of(self._readings(member, 1))
            if abs(seen.offset_ns) <= seen.bound_ns:
                return SAME_CLOCK
        return offset_of(self._readings(member, _READINGS))

    def _readings(self, member: Member, wanted: int) -> list[Reading]:
        """So many messages there and back. Raises WorkerLost."""
        readings: list[Reading] = []
        came = Event()

        def take(message: Message) -> None:
            told = message.data
            if told["number"] == sent_ns:  # an answer that comes late is to an earlier one
                readings.append(Reading(sent_ns, told["received_ns"], told["answered_ns"], monotonic_ns()))
                came.set()

        self._pongs[member.client] = take
        for _ in range(wanted):
            came.clear()
            sent_ns = monotonic_ns()
            self._send(messages.PING, member, {"number": sent_ns})
            if not came.wait(SILENT_NS / 1e9):
                raise WorkerLost(f"worker {member.name} did not answer when asked what its clock shows")
        del self._pongs[member.client]
        return readings

    def _send(self, name: str, member: Member, data: Mapping[str, Any] | None = None) -> None:
        self._say(name, member.client, data)

    def _say(self, name: str, client: str, data: Mapping[str, Any] | None) -> None:
        self._runner.server.send_to_client(Message(name, data, client))  # type: ignore[no-untyped-call]

    # --- what workers say ---

    def _on_join(self, msg: Message, **_: object) -> None:
        """One is there, for the first time or again."""
        told = msg.data
        if told["version"] != self._version:
            reason = (
                f"it has streamgauge {told['version']}, and the run {self._version}: install the same "
                "version on both machines"
            )
            self.refusals.append(f"{told['name']}: {reason}")
            self._say(messages.REFUSED, msg.node_id, {"why": reason})
            return
        member = self._members.get(msg.node_id)
        if member is None:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            member = Member(msg.node_id, self._next_number, told, now, monotonic_ns())
            self._members[msg.node_id] = member
            self._next_number += 1
        else:
            member.heard_ns = monotonic_ns()
        part = self._parts.get(msg.node_id)
        if part is not None and told["dropped"] == self._trial:
            part.wrong = "it was away for a while, and joined again in the middle"
        self._send(messages.WELCOME, member, {"worker": member.number, "shows": self._shows})
        self._changed.set()

    def _on_heartbeat(self, client_id: str, **_: object) -> None:
        member = self._members.get(client_id)
        if member is None:
            return
        part = self._parts.get(client_id)
        silent_ns = monotonic_ns() - member.heard_ns
        if part is not None and part.answer is None and silent_ns >= SILENT_NS:
            part.wrong = f"it was not heard of for {silent_ns / 1e9:.1f} s"
        member.heard_ns = monotonic_ns()

    def _on_pong(self, msg: Message, **_: object) -> None:
        take = self._pongs.get(msg.node_id)
        if take is not None:
            take(msg)

    def _current(self, msg: Message) -> _Part | None:
        """The share that a message is about, None where that trial is over."""
        return self._parts.get(msg.node_id) if msg.data["trial"] == self._trial else None

    def _on_part(self, msg: Message, **_: object) -> None:
        part = self._current(msg)
        if part is None:
            return
        if msg.data["part"] != part.parts:
            part.wrong = f"its part {part.parts} of the records is missing"
        part.parts += 1
        part.packed += msg.data["packed"]
        part.heard_ns = part.member.heard_ns = monotonic_ns()  # on a slow line heartbeats wait behind records
        self._send(messages.TOOK, part.member, {"trial": self._trial, "part": msg.data["part"]})

    def _on_done(self, msg: Message, **_: object) -> None:
        part = self._current(msg)
        if part is not None:
            part.answer = msg.data["answer"]
            self._changed.set()

    def _on_ended(self, msg: Message, **_: object) -> None:
        self._untold.discard(msg.node_id)
        self._changed.set()

    def _on_failed(self, msg: Message, **_: object) -> None:
        part = self._current(msg)
        if part is not None:
            part.wrong = str(msg.data["why"])
            if msg.data["late_ns"]:
                self._lead_ns = min(_LONGEST_LEAD_NS, 2 * (self._lead_ns + msg.data["late_ns"]))
            self._changed.set()


def _handed_over(
    parts: Iterable[_Part], before: Mapping[str, Offset], after: Mapping[str, Offset]
) -> tuple[list[dict[str, Any]], bytearray]:
    answers, packed = [], bytearray()
    for part in parts:
        client = part.member.client
        offset = offset_over(before[client], after[client])
        answers.append(
            {
                **(part.answer or {}),
                "machine": part.member.machine,
                "arrived_bytes": len(part.packed),
                "offset_ns": offset.offset_ns,
                "offset_bound_ns": offset.bound_ns,
            }
        )
        packed += part.packed
        part.packed = bytearray()  # of a long trial hundreds of megabytes: they are not to be there twice
    return answers, packed
