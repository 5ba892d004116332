"""Several hosts on one machine: network namespaces joined by veth links, which go with their test."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.programs import need_network_namespaces

#: The target's address, on its loopback interface: each load host has a link of its own to it.
TARGET = "10.77.0.1"
#: Should whoever made them be killed and the kernel not end them at once, its hosts go then.
_LONGEST_S = 1800


@dataclass(frozen=True, slots=True)
class Host:
    """One host. ``holder`` is the process that its namespaces live with; ``number`` is that of its link."""

    name: str
    number: int
    holder: int

    @property
    def address(self) -> str:
        """By which the target sees it; the target's own is `TARGET`."""
        return f"10.77.{self.number}.2" if self.number else TARGET

    def command(self, *words: str) -> list[str]:
        """The same command, on this host."""
        return ["nsenter", f"--target={self.holder}", "--net", "--uts", "--", *words]

    def run(self, *words: str) -> None:
        """Run a command to its end on this host."""
        subprocess.run(self.command(*words), check=True, capture_output=True)


@contextlib.contextmanager
def hosts(*loads: str) -> Iterator[Sequence[Host]]:
    """The target, and a load host of each of these names."""
    need_network_namespaces()
    with _holder() as holder, joined(Host("target", 0, holder), *loads) as found:
        yield found


@contextlib.contextmanager
def joined(target: Host, *loads: str) -> Iterator[Sequence[Host]]:
    """A target, whose namespaces are there, and a load host of each of these names, linked to it."""
    with contextlib.ExitStack() as stack:
        beside = [
            Host(name, number, stack.enter_context(_holder())) for number, name in enumerate(loads, start=1)
        ]
        found = [target, *beside]
        for host in found:
            host.run("hostname", host.name)
            host.run("ip", "link", "set", "lo", "up")
        target.run("ip", "address", "add", f"{TARGET}/32", "dev", "lo")
        for host in beside:
            _link(target, host)
        yield found


def cut(target: Host, host: Host) -> None:
    """Take the link between the two away."""
    target.run("ip", "link", "set", f"to-{host.number}", "down")


def mend(target: Host, host: Host) -> None:
    """Bring it back."""
    target.run("ip", "link", "set", f"to-{host.number}", "up")


def _link(target: Host, host: Host) -> None:
    number = host.number
    target.run(
        *(
            "ip",
            "link",
            "add",
            f"to-{number}",
            "type",
            "veth",
            "peer",
            "name",
            "out",
            "netns",
            str(host.holder),
        )
    )
    target.run("ip", "address", "add", f"10.77.{number}.1/24", "dev", f"to-{number}")
    target.run("ip", "link", "set", f"to-{number}", "up")
    host.run("ip", "address", "add", f"10.77.{number}.2/24", "dev", "out")
    host.run("ip", "link", "set", "out", "up")
    host.run("ip", "route", "add", TARGET, "via", f"10.77.{number}.1")


@contextlib.contextmanager
def _holder() -> Iterator[int]:
    """A process in namespaces of its own, which ends with the test."""
    words = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--uts"]
    code = f"echo there; exec sleep {_LONGEST_S}"
    with subprocess.Popen([*words, "sh", "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.kill()
