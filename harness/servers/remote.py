"""Targets on other machines: refused unless they were asked for, and named with the load that they get."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.programs.ports import HOST
from harness.suites.endpoint import Endpoint, endpoint_of, is_loopback
from harness.suites.matrix import PlannedCase
from results.errors import UsageError
from scenarios.specification import Arrivals, Load

#: The word that asks for it.
ALLOW = "--allow-remote"


def placed(cases: Iterable[PlannedCase], *, allow_remote: bool, listen: str = HOST) -> list[PlannedCase]:
    """The cases, each of a ``url`` with its endpoint: what was judged here is what will be asked.

    The load asks at the address ``listen`` of this machine: from others, where that is not its loopback
    interface. Raises UsageError with every one that may not be asked as it is.
    """
    endpoints: dict[str, Endpoint] = {}
    problems: dict[str, None] = {}
    found = []
    for planned in cases:
        url = planned.target.url
        if url is None:
            found.append(planned)
            continue
        if url not in endpoints:
            found_there = endpoint_of(url)
            is_here = set(found_there.addresses) == {listen}
            endpoints[url] = replace(found_there, is_remote=found_there.is_remote and not is_here)
        here = replace(planned, endpoint=endpoints[url])
        problems |= dict.fromkeys(_problems(here, allow_remote=allow_remote, listen=listen))
        found.append(here)
    if problems:
        raise UsageError("\n".join(problems))
    return found


def endpoint_to_ask(planned: PlannedCase) -> Endpoint | None:
    """Where a case of a ``url`` is asked, null of what we start. One that nobody has placed has to be here.

    Raises UsageError where it is not.
    """
    if planned.target.url is None or planned.endpoint is not None:
        return planned.endpoint
    return placed([planned], allow_remote=False)[0].endpoint


def _problems(planned: PlannedCase, *, allow_remote: bool, listen: str) -> Iterable[str]:
    endpoint, target = planned.endpoint, planned.target
    assert endpoint is not None  # noqa: S101  - it was just found
    if is_loopback(endpoint.address) and not is_loopback(listen):
        yield (
            f"target {target.name}: workers on other machines cannot reach {endpoint}, a loopback interface; "
            f"have it listen at {listen}, and name that"
        )
    if planned.is_proxied and endpoint.address != HOST:
        yield (
            f"target {target.name}: a proxy of ours passes on to {HOST} only, and {endpoint} is not there; "
            "leave [[proxy]] out"
        )
    if not endpoint.is_remote:
        return
    if target.pid is not None:
        yield (
            f"target {target.name}: pid names a process of this machine, and {endpoint} is not on its "
            "loopback interface; leave pid out (memory and CPU are then not measured)"
        )
    if not allow_remote:
        yield refusal(f"target {target.name}: {endpoint}")


def endpoint_allowed(url: str, *, allow_remote: bool) -> Endpoint:
    """The endpoint of a URL. Raises UsageError where it is on another machine and nobody asked for that."""
    endpoint = endpoint_of(url)
    if endpoint.is_remote and not allow_remote:
        raise UsageError(refusal(str(endpoint)))
    return endpoint


def refusal(what: str) -> str:
    """Why something on another machine is not asked."""
    return (
        f"{what} is not on this machine's loopback interface. Load may do harm there, and must be welcome: "
        f"if it is your own server, say {ALLOW}"
    )


def remote_endpoints(cases: Iterable[PlannedCase]) -> dict[str, Endpoint]:
    """The endpoints on other machines, by the names of their targets."""
    return {
        planned.target.name: planned.endpoint
        for planned in cases
        if planned.endpoint is not None and planned.endpoint.is_remote
    }


def loads_of(cases: Iterable[PlannedCase], target: str) -> Sequence[str]:
    """What a target is asked for, in words, each load once."""
    mine = [item for item in cases if item.target.name == target]
    beside = [f"and {item.others.rate:g} small requests a second" for item in mine if item.others is not None]
    return list(dict.fromkeys([*(_words(item.load) for item in mine), *beside]))


def _words(load: Load) -> str:
    if isinstance(load, Arrivals):
        return f"{load.rate:g} requests a second over at most {load.most_in_flight} connections"
    several = "" if load.users == 1 else "s"
    return f"{load.users} connection{several}, each asking again as soon as it is through"
