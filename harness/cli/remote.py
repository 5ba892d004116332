"""``--allow-remote``: what is measured on another machine is told before it is asked, and stays marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.cli.prose import say
from harness.servers.remote import loads_of, remote_endpoints
from harness.suites.matrix import PlannedCase

#: The part of the environment record that names them; a run without has no such part.
MARK = "remote_targets"


def marked_remote(environment: Mapping[str, Any], cases: Sequence[PlannedCase]) -> dict[str, Any]:
    """The environment record, with the endpoints on other machines where there are any."""
    found = {name: str(endpoint) for name, endpoint in sorted(remote_endpoints(cases).items())}
    return {**environment, MARK: found} if found else dict(environment)


def warn_of_load(cases: Sequence[PlannedCase], how_long: str) -> None:
    """Say on standard error which other machines will be asked, for what, and for how long."""
    for target, endpoint in remote_endpoints(cases).items():
        loads = "; ".join(loads_of(cases, target))
        say(
            f"WARNING: load goes over the network to {endpoint}, the target {target}: {loads}; {how_long}. "
            "It has to be your own server, or one whose owner knows of it. Ctrl-C ends it.",
            err=True,
        )


def warn_of_requests(where: str, requests: int) -> None:
    """The same of a few requests."""
    say(f"WARNING: {where} is on another machine, and is asked up to {requests} times.", err=True)
