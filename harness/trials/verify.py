"""Verify: each case is asked once before anything is timed, and streams must equal their whole form."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from analysis.summary import labels
from harness.loading.leaving import digest_of, has_no_middle, with_prefix
from harness.loading.load import Fetched
from harness.programs.ports import HOST
from harness.servers.remote import endpoint_to_ask
from harness.servers.serving import RunningServer, last_words
from harness.suites.matrix import PlannedCase
from harness.suites.target import Target
from harness.suites.variables import filled
from results.errors import MeasurementError
from results.records import Verification
from results.sides import Side
from scenarios.specification import Address, FetchSpecification, authority_of

_PIECE_BYTES = 1 << 20
_ACCEPT = "accept-encoding"
#: A larger response is no small one: the others would be streams themselves.
MOST_SMALL_BYTES = 256 * 1024


class VerifyFailed(MeasurementError):  # noqa: N818  - named for what happened
    """Responses that are not what they must be; nothing was timed."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a case, by identity.

    ``keys`` of its target decide it, the likeliest first; ``words`` are the last ones of its server.
    """

    case: str
    what: str
    keys: Sequence[str] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Cases of the same app on the same server with the same options.

    One server can answer all of them, and another one those whose response is collected before it is sent.
    """

    cases: Sequence[PlannedCase]

    @property
    def servers(self) -> Mapping[bool, PlannedCase]:
        """For each server that they need a case of it, by whether it collects."""
        return {planned.joined: planned for planned in reversed(self.cases)}


def groups_of(cases: Sequence[PlannedCase]) -> list[Group]:
    """The cases by the server that they need, in order; the load makes no difference to verify."""

    def server(planned: PlannedCase) -> tuple[str, ...]:
        options = sorted((name, str(value)) for name, value in planned.server_options.items())
        target = planned.target
        return (
            target.served,
            str(target.directory),
            str(target.python),
            repr(sorted(target.environment.items())),
            planned.server_kind,
            repr(options),
            planned.middleware,
            planned.proxy_kind,
            repr(sorted((name, str(value)) for name, value in planned.proxy_options.items())),
        )

    ordered = sorted(cases, key=server)
    return [Group(list(members)) for _, members in itertools.groupby(ordered, key=server)]


def address_of(planned: PlannedCase, port: int, host: str = HOST) -> Address:
    """What the driver needs to ask this case's response of what runs at this IP address and port."""
    target = planned.target
    endpoint = endpoint_to_ask(planned)
    there_before = None if planned.is_proxied else endpoint
    return Address(
        host=host if there_before is None else there_before.address,
        port=port,
        method=target.method,
        path=planned.path,
        headers=(
            *((name, filled(text)) for name, text in target.headers.items()),
            *_accepted(planned),
        ),
        body=None if target.body is None else filled(target.body),
        timeout_s=target.timeout,
        keep_alive=planned.keep_alive,
        authority=authority_of(host, port) if there_before is None else there_before.authority,
    )


def small_address(planned: PlannedCase, port: int, host: str = HOST) -> Address:
    """What others ask beside this case: the readiness path, whose response is a small one."""
    return replace(address_of(planned, port, host), method="GET", path=planned.target.ready, body=None)


class Fetcher(Protocol):
    """Asks once, as the load driver does."""

    def fetch(self, specification: FetchSpecification) -> Fetched:
        """What came; the body is kept in the specification's file. Raises MeasurementError."""


def _accepted(planned: PlannedCase) -> list[tuple[str, str]]:
    """Nobody compresses for a client that does not ask for it; what the target itself asks for stands."""
    if planned.encoding is None or any(name.lower() == _ACCEPT for name in planned.target.headers):
        return []
    return [("Accept-Encoding", planned.encoding)]


def verify_group(
    group: Group,
    servers: Mapping[bool, RunningServer],
    driver: Fetcher,
    folder: Path,
    record: Callable[[str, Verification], None],
) -> list[Problem]:
    """Ask each case of the group once and hand what was found to ``record`` by case identity.

    ``servers`` are those of `Group.servers`. Where a target's response has no end, no other one of that
    target is asked: each would take as long, and to collect one would take all memory.

    Returns what is not as it must be.
    """
    bodies: dict[object, tuple[Path, Fetched]] = {}
    smalls = _Smalls(servers, driver, folder)
    numbers = itertools.count()
    problems: list[Problem] = []
    # what is collected comes last: not before the stream itself is known to end
    ordered = sorted(group.cases, key=lambda planned: planned.joined)
    by_identity = {planned.case.identity: planned for planned in ordered}
    names = labels([planned.case for planned in group.cases])
    endless: set[tuple[str, str]] = set()

    def asked(planned: PlannedCase) -> tuple[Path, Fetched]:
        key = _key(planned)
        if key not in bodies:
            body = folder / f"body-{next(numbers)}"
            server = servers[planned.joined]
            address = address_of(planned, server.port, server.host)
            fetched = driver.fetch(FetchSpecification(address, str(body)))
            bodies[key] = body, fetched
        return bodies[key]

    try:
        for identity, planned in by_identity.items():
            target = planned.target.name, planned.target.stream
            if target in endless:
                continue
            body, fetched = asked(planned)
            small, amiss = smalls.of(planned)
            record(identity, replace(with_prefix(planned, fetched.found, body), **small))
            problems += amiss
            baseline = by_identity.get(planned.case.baseline or "")
            whole = None
            if baseline is not None and _is_answered(planned, fetched):
                kept, answer = asked(baseline)
                whole = (
                    _Whole(names[baseline.case.identity], kept) if _is_answered(baseline, answer) else None
                )
            wrong = list(_problems(planned, fetched, body, whole))
            has_no_end = fetched.unended and bool(wrong)
            endless |= {target} if has_no_end else set()
            words = last_words(servers[planned.joined].output()) if wrong and not has_no_end else ""
            problems += [Problem(identity, what, keys, words) for what, keys in wrong]
            if not planned.case.is_baseline:
                body.unlink()  # a big one times many variants would fill the disk
                del bodies[_key(planned)]
    finally:
        for body, _ in bodies.values():
            body.unlink(missing_ok=True)
    places = {planned.case.identity: place for place, planned in enumerate(group.cases)}
    return sorted(problems, key=lambda problem: places[problem.case])


def told(problems: Mapping[Side | None, Sequence[Problem]], cases: int) -> str:
    """All that is wrong, by side: first what is so on one side only, where a case is missing or renamed."""
    lines: dict[bool, list[str]] = {True: [], False: []}
    for side, found in problems.items():
        others = {item.case for other in problems if other is not side for item in problems[other]}
        for item in found:
            alone = side is not None and item.case not in others
            where = "" if side is None else f"on {side} only: " if alone else f"on {side}: "
            lines[alone].append(f"  {where}{item.case}: {item.what}{item.words}")
    text = "\n".join([*lines[True], *lines[False]])
    count = len(lines[True]) + len(lines[False])
    remedy = ""
    if lines[True]:
        remedy = (
            "\nAn ab compares what both revisions serve: measure the cases of both with --only, or let the "
            "suite name what both have"
        )
    return f"{count} of {cases} cases do not answer as they must; nothing was timed:\n{text}{remedy}"


def _key(planned: PlannedCase) -> object:
    """Cases with the same key get the same response."""
    target = planned.target
    return planned.joined, target.method, planned.path, tuple(target.headers.items()), target.body


class _Smalls:
    """The small responses that others ask beside the cases of a group, each asked twice."""

    def __init__(self, servers: Mapping[bool, RunningServer], driver: Fetcher, folder: Path) -> None:
        self._servers = servers
        self._driver = driver
        self._body = folder / "small-body"
        self._found: dict[object, tuple[Verification, Verification]] = {}

    def of(self, planned: PlannedCase) -> tuple[Mapping[str, Any], list[Problem]]:
        """What every later response is checked against, as fields of `Verification`; and what is wrong.

        Nothing where nobody asks anything beside the case.
        """
        target = planned.target
        if planned.others is None:
            return {}, []
        key = planned.joined, target.ready, tuple(target.headers.items())
        if key not in self._found:
            self._found[key] = self._ask(planned), self._ask(planned)
        found, again = self._found[key]
        same_bytes = target.check == "bytes"
        learned = {
            "others_status": found.status,
            "others_body_bytes": found.body_bytes,
            "others_digest": found.digest if same_bytes else None,
        }
        changed = found.digest != again.digest if same_bytes else found.body_bytes != again.body_bytes
        why = _why_not_small(found, changed=changed or found.status != again.status)
        what = f"others ask {target.ready} beside it, which {why}"
        return learned, [Problem(planned.case.identity, what, ("ready", "check"))] if why else []

    def _ask(self, planned: PlannedCase) -> Verification:
        server = self._servers[planned.joined]
        address = small_address(planned, server.port, server.host)
        try:
            return self._driver.fetch(FetchSpecification(address, str(self._body))).found
        finally:
            self._body.unlink(missing_ok=True)


def _why_not_small(found: Verification, *, changed: bool) -> str | None:
    """Why no other requests can be held against this response; None where they can."""
    remedy = "name a path with a small response as `ready`"
    if found.failure is not None:
        return f"fails ({found.failure}); {remedy}"
    if found.status is None or found.status >= 400:
        return f"has the status {found.status}; {remedy}"
    if found.body_bytes > MOST_SMALL_BYTES:
        return f"has a body of {found.body_bytes:,} bytes, more than {MOST_SMALL_BYTES:,}; {remedy}"
    if changed:
        return f'is answered differently each time; {remedy}, or set check = "length" if only bytes change'
    return None


@dataclass(frozen=True, slots=True)
class _Whole:
    """A whole form that came as it must: what it is called, and its body."""

    name: str
    body: Path


def _is_answered(planned: PlannedCase, fetched: Fetched) -> bool:
    """Whether the response came whole and with its status: nothing else can be compared."""
    return fetched.found.failure is None and fetched.found.status == planned.target.status


def _problems(
    planned: PlannedCase, fetched: Fetched, body: Path, whole: _Whole | None
) -> Iterator[tuple[str, Sequence[str]]]:
    """What is wrong, each with the target's keys that decide it."""
    target, found = planned.target, fetched.found
    path = "baseline" if planned.case.is_baseline and not target.joined else "stream"
    if planned.case.expect_failure:
        if found.failure is None and found.status == target.status:
            yield "the suite expects a failure, and the response came whole", ("expect",)
        return
    if fetched.unended:
        yield _without_end(found, target.timeout), (path,)
        return
    if found.failure is not None:
        yield found.failure, (path, "timeout")
        return
    if found.status != target.status:
        yield f"status {found.status} instead of {target.status}", _decide_status(found.status, path)
        return
    if planned.encoding is not None and fetched.encoding != planned.encoding:
        what = (
            f"it is not encoded as {planned.encoding} (its Content-Encoding: {fetched.encoding or 'none'}), "
            "and so measures nothing of that. Does the target ask for something else (Accept-Encoding), or "
            "is its content type one that is not compressed?"
        )
        yield what, ("headers", "middleware")
    if digest_of(body) != found.digest:
        yield "the client's hash is not the hash of the bytes that it kept: a fault of streamgauge", ()
    if has_no_middle(planned, found):
        yield f"its body of {found.body_bytes} bytes has no middle to hang up in", (path,)
    if whole is not None:
        yield from _differences(target, body, whole)


def _differences(target: Target, body: Path, whole: _Whole) -> Iterator[tuple[str, Sequence[str]]]:
    """In what a stream differs from its whole form, with the target's keys that decide it."""
    sizes = f"{body.stat().st_size:,} bytes, the whole one has {whole.body.stat().st_size:,}"
    if target.check == "bytes":
        difference = first_difference(whole.body, body)
        if difference is not None:
            what = (
                f"from byte {difference:,} on it differs from its whole form ({whole.name}): {sizes}. "
                'If the page changes by itself, set check = "length"'
            )
            yield what, ("baseline", "stream", "check")
    elif body.stat().st_size != whole.body.stat().st_size:
        yield f"it differs from its whole form ({whole.name}): {sizes}", ("baseline", "stream")


def _without_end(found: Verification, timeout_s: float) -> str:
    came = f"{found.body_bytes:,} bytes" + (f" in {found.chunks:,} chunks" if found.chunks else "")
    return (
        f"{came} came, and it had not ended ({found.failure}). A stream that is measured has to end: name a "
        f"path that ends it, like /events?count=100. One that ends by itself after more than {timeout_s:g} s "
        "needs a longer timeout"
    )


def _decide_status(status: int | None, path: str) -> Sequence[str]:
    """The keys that decide a status (RFC 9110, 15)."""
    match status:
        case 401 | 403 | 407:
            return "headers", path
        case 400 | 405 | 406 | 411 | 415 | 422:
            return path, "method", "headers", "body"
        case _:
            return path, "status"


def first_difference(left: Path, right: Path) -> int | None:
    """The offset of the first byte in which two files differ, None when they are equal."""
    offset = 0
    with left.open("rb") as one, right.open("rb") as other:
        while True:
            first, second = one.read(_PIECE_BYTES), other.read(_PIECE_BYTES)
            if first != second:
                pairs = enumerate(zip(first, second, strict=False))
                unequal = (index for index, (a, b) in pairs if a != b)
                return offset + next(unequal, min(len(first), len(second)))
            if not first:
                return None
            offset += len(first)
