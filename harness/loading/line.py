"""The line between the load and what it asks: a link of a run's own, at a rate and with a delay.

The load lives in a network namespace that is joined to this machine by a pair of virtual interfaces
(veth(4)); what is served listens at this end of it. Both ends send through a delay (tc-netem(8)) and, within
that, a token bucket (tc-tbf(8)), so that either direction is shaped. The namespace lives as long as the
process that holds it, which the supervisor ends with the run: then the link is gone, however the run ended.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.programs.processes import OwnedProcess, Processes
from harness.servers.proxying import find_program
from harness.suites.lines import Line
from harness.suites.matrix import PlannedCase, lines_of
from results.drops import LineDrops
from results.errors import MeasurementError, UsageError

#: For tests of networks, and nobody else's (RFC 2544, C.2.2): each run takes four addresses of it.
_ADDRESSES = ipaddress.IPv4Network("198.18.0.0/15")
_PROGRAMS = ("ip", "tc", "unshare", "nsenter")
_THERE = "load"
_TIMEOUT_S = 10.0
_POLL_EVERY_S = 0.005
#: What a bucket lets through at once: two frames, or what comes in so long (s).
_TWO_FRAMES_BYTES = 3028
_BURST_S = 0.002
#: What waits before the bucket, as before a modem: at least so much, or what goes in so long (s).
_LEAST_QUEUE_BYTES = 256 * 1024
_QUEUE_S = 0.1
#: Packets that a delay may hold: none is dropped for want of room.
_HELD_PACKETS = 100_000
#: Routes that are told.
_MOST_NAMED = 3


class LineFailed(MeasurementError):  # noqa: N818  - named for what happened
    """The link could not be made or shaped."""


class LineGone(LineFailed):
    """The load's end of it is not there any more: nothing further can be measured over it."""


@dataclass(frozen=True, slots=True)
class Link:
    """One that is there. ``interface`` is this machine's end, at ``host``; ``there`` is the load's address.

    ``prefix`` goes before a command that is to run at the load's end, in that ``namespace``.
    Its methods raise LineGone when that is not there any more.
    """

    interface: str
    host: str
    there: str
    prefix: Sequence[str]
    namespace: Path

    def shape(self, line: Line) -> None:
        """Make it this line from now on, in both directions, its queues empty. Raises LineFailed."""
        shapers = []
        if line.delay_s:
            shapers.append(_held_back(line.delay_s))
        if line.bits_per_second is not None:
            shapers.append(_bucket(line.bits_per_second))
        for begin, device in ((), self.interface), (self.prefix, _THERE):
            tc = [*begin, "tc", "qdisc"]
            # what is changed only keeps what waits in it: the rest of what clients of another trial left
            self._run(*tc, "replace", "dev", device, "root", "pfifo")  # so that there is one to take off
            self._run(*tc, "del", "dev", device, "root")
            for depth, words in enumerate(shapers, 1):
                above = ["root"] if depth == 1 else ["parent", f"{depth - 1}:1"]
                self._run(*tc, "add", "dev", device, *above, "handle", f"{depth}:", *words)

    def described(self, lines: Iterable[Line]) -> dict[str, Any]:
        """For the record of the environment: the addresses of both ends, and each line's queues there.

        The queues are as the kernel tells them (`tc -j qdisc show`). Afterwards there are none. Raises
        LineFailed.
        """
        queues = {}
        for line in lines:
            self.shape(line)
            queues[line.label] = {
                "server": self._queues((), self.interface),
                "load": self._queues(self.prefix, _THERE),
            }
        self.shape(Line(None, 0.0))
        return {"server": self.host, "load": self.there, "kind": "veth", "queues": queues}

    def dropped(self) -> LineDrops:
        """What the queues at both ends have dropped since they were made. Raises LineFailed."""
        return LineDrops(to_load=self._drops((), self.interface), to_server=self._drops(self.prefix, _THERE))

    def _drops(self, begin: Sequence[str], device: str) -> int:
        """The most that one queue tells: what a bucket drops, the delay around it may count as well."""
        told = json.loads(self._run(*begin, "tc", "-s", "-j", "qdisc", "show", "dev", device))
        return max((queue["drops"] for queue in told), default=0)

    def _queues(self, begin: Sequence[str], device: str) -> Any:
        return json.loads(self._run(*begin, "tc", "-j", "qdisc", "show", "dev", device))

    def _run(self, *words: str) -> str:
        try:
            return _run(*words)
        except LineFailed as failed:
            if self.namespace.exists():
                raise
            raise LineGone(
                f"the load's end of the line is gone ({failed}): somebody ended the process that held it, or "
                "the machine was short of memory"
            ) from None


def check_line(cases: Iterable[PlannedCase]) -> None:
    """That this machine can make the lines that these cases have. Raises UsageError with the reason."""
    lines = lines_of(cases)
    if not lines:
        return
    if sys.platform != "linux":
        raise UsageError("[[network]] needs Linux's network namespaces; leave it out, or measure on Linux")
    missing = [name for name in _PROGRAMS if find_program(name) is None]
    if missing:
        raise UsageError(
            f"[[network]] needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            "installed; install iproute2 and util-linux, or leave it out"
        )
    wanted = {"tbf": _bucket(8_000_000)} if any(line.bits_per_second for line in lines) else {}
    if any(line.delay_s for line in lines):
        wanted["netem"] = _held_back(0.001)
    _probe(["ip", "link", "set", "lo", "up"], "it cannot make a network namespace", "run as root")
    # in a user namespace one is root, and may make a network namespace, but may not join it to the machine's
    end = ("name", f"sg{os.getpid()}", "netns", str(os.getpid()))
    _probe(
        ["ip", "link", "add", _THERE, "type", "veth", "peer", *end],
        "it cannot join a network namespace to this one (veth)",
        "run as the machine's root (in a container, with CAP_NET_ADMIN), or load the module (modprobe veth)",
    )
    for kind, words in wanted.items():
        what = {"tbf": "a rate", "netem": "a delay"}[kind]
        _probe(
            ["tc", "qdisc", "add", "dev", "lo", "root", *words],
            f"its kernel cannot make {what} ({kind})",
            f"load the module sch_{kind} (modprobe sch_{kind}), or leave {what.split()[1]} out",
        )
    try:
        _free_network(os.getpid())
    except LineFailed as failed:
        raise UsageError(f"[[network]] cannot be had on this machine: {failed}") from None


def _probe(words: Sequence[str], problem: str, remedy: str) -> None:
    """Try it in a namespace that goes at once. Raises UsageError."""
    try:
        done = _ended("unshare", "--net", "--", _program(words[0]), *words[1:])
    except LineFailed as failed:
        raise UsageError(
            f"[[network]] cannot be had on this machine: {problem}: {failed}; {remedy}"
        ) from None
    if done.returncode:
        said = " ".join(done.stderr.split()).removeprefix("Error: ").removesuffix(".")
        raise UsageError(f"[[network]] cannot be had on this machine: {problem}: {said}; {remedy}")


@contextlib.contextmanager
def linked(processes: Processes, folder: Path) -> Iterator[Link]:
    """A link, not shaped yet; ``folder`` is private and made by us. Raises LineFailed."""
    holder = processes.start(
        [_program("unshare"), "--net", "--", _program("sleep"), "infinity"],
        cwd=folder,
        env={},
        output=folder / "line.log",
    )
    try:
        _wait_for_namespace(holder)
        yield _link(holder.pid)
    finally:
        holder.stop(0)


def _link(holder_pid: int) -> Link:
    network = _free_network(holder_pid)
    host, there = (str(address) for address in network.hosts())
    interface = f"sg{holder_pid}"
    namespace = Path(f"/proc/{holder_pid}/ns/net")
    prefix = [_program("nsenter"), f"--net={namespace}", "--"]
    _run("ip", "link", "add", interface, "type", "veth", *("peer", "name", _THERE, "netns", str(holder_pid)))
    for begin, device, address in ((), interface, host), (prefix, _THERE, there):
        _run(*begin, "ip", "address", "add", f"{address}/{network.prefixlen}", "dev", device)
        _run(*begin, "ip", "link", "set", device, "up")
    _run(*prefix, "ip", "link", "set", "lo", "up")
    return Link(interface, host, there, prefix, namespace)


def _wait_for_namespace(holder: OwnedProcess) -> None:
    """Until the holder has gone into its own."""
    own = Path("/proc/self/ns/net").readlink()
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):  # it has ended: told below
            if Path(f"/proc/{holder.pid}/ns/net").readlink() != own:
                return
        if holder.returncode is not None:
            break
        time.sleep(_POLL_EVERY_S)
    raise LineFailed(f"no network namespace for the load: {holder.output_tail().strip()}; run as root")


def _free_network(number: int) -> ipaddress.IPv4Network:
    """Four addresses to which no route of this machine leads but one for much more than tests of networks.

    They are looked for from the one of this ``number`` on: two runs that look at once have unlike numbers.
    """
    routes = json.loads(_run("ip", "-j", "-4", "route", "show", "table", "all"))
    taken = [
        network
        for route in routes
        if route["dst"] != "default"
        and (network := ipaddress.IPv4Network(route["dst"], strict=False)).prefixlen >= _ADDRESSES.prefixlen
        and network.overlaps(_ADDRESSES)
    ]
    networks = list(_ADDRESSES.subnets(new_prefix=30))
    first = number % len(networks)
    for network in (*networks[first:], *networks[:first]):
        if not any(network.overlaps(other) for other in taken):
            return network
    told = ", ".join(map(str, taken[:_MOST_NAMED]))
    raise LineFailed(
        f"its routes take all addresses of {_ADDRESSES} ({told}); `ip route show table all` tells by what, "
        "which has to end"
    )


def _held_back(delay_s: float) -> list[str]:
    return ["netem", "delay", f"{delay_s * 1e6:.0f}us", "limit", str(_HELD_PACKETS)]


def _bucket(bits_per_second: int) -> list[str]:
    bytes_per_second = bits_per_second / 8
    burst = max(_TWO_FRAMES_BYTES, round(bytes_per_second * _BURST_S))
    queue = max(_LEAST_QUEUE_BYTES, round(bytes_per_second * _QUEUE_S))
    return ["tbf", "rate", f"{bits_per_second}bit", "burst", f"{burst}b", "limit", f"{queue}b"]


def _program(name: str) -> str:
    return str(find_program(name) or name)


def _run(*words: str) -> str:
    """What the command prints. Raises LineFailed."""
    done = _ended(*words)
    if done.returncode:
        raise LineFailed(f"{' '.join(words)}: {' '.join(done.stderr.split())}")
    return done.stdout


def _ended(*words: str) -> subprocess.CompletedProcess[str]:
    """The command when it has ended, however that was. Raises LineFailed where it does not begin or end."""
    place = next(index for index, word in enumerate(words) if word in _PROGRAMS)
    given = [*words[:place], _program(words[place]), *words[place + 1 :]]
    try:
        return subprocess.run(given, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LineFailed(f"{' '.join(words)}: {error}") from error
