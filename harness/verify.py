"""Verify: each case is asked once before anything is timed, and streams must equal their whole form."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import xxhash

from harness.load import LoadDriver
from harness.matrix import PlannedCase
from harness.serving import HOST, RunningServer, last_words
from results.errors import MeasurementError
from results.records import Verification
from scenarios.specification import Address, FetchSpecification

_PIECE_BYTES = 1 << 20


class VerifyFailed(MeasurementError):  # noqa: N818  - named for what happened
    """Responses that are not what they must be; nothing was timed."""


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that one server can answer: the same app on the same server with the same options."""

    cases: Sequence[PlannedCase]


def groups_of(cases: Sequence[PlannedCase]) -> list[Group]:
    """The cases by the server that they need, in order; the load makes no difference to verify."""

    def server(planned: PlannedCase) -> tuple[str, str, str, str]:
        options = sorted((name, str(value)) for name, value in planned.server_options.items())
        target = planned.target
        return target.app, str(target.directory), planned.server_kind, repr(options)

    ordered = sorted(cases, key=server)
    return [Group(list(members)) for _, members in itertools.groupby(ordered, key=server)]


def address_of(planned: PlannedCase, port: int) -> Address:
    """What the driver needs to ask this case's response."""
    target = planned.target
    return Address(
        host=HOST,
        port=port,
        method="GET",
        path=planned.path,
        headers=tuple(target.headers.items()),
        timeout_s=target.timeout,
        keep_alive=planned.keep_alive,
    )


def verify_group(
    group: Group,
    server: RunningServer,
    driver: LoadDriver,
    folder: Path,
    record: Callable[[str, Verification], None],
) -> list[str]:
    """Ask each case of the group once and hand what was found to ``record`` by case identity.

    Returns a line for each case that is not what it must be.
    """
    bodies: dict[tuple[str, object], tuple[Path, Verification]] = {}
    problems: list[str] = []
    by_identity = {planned.case.identity: planned for planned in group.cases}

    def asked(planned: PlannedCase) -> tuple[Path, Verification]:
        key = _key(planned)
        if key not in bodies:
            body = folder / f"body-{len(bodies)}"
            found = driver.fetch(FetchSpecification(address_of(planned, server.port), str(body)))
            bodies[key] = body, found
        return bodies[key]

    try:
        for identity, planned in by_identity.items():
            body, found = asked(planned)
            record(identity, found)
            baseline = by_identity.get(planned.case.baseline or "")
            whole = asked(baseline)[0] if baseline is not None else None
            wrong = [f"{identity}: {problem}" for problem in _problems(planned, found, body, whole)]
            problems += [line + last_words(server.output()) for line in wrong]
            if not planned.case.is_baseline:
                body.unlink()  # a big one times many variants would fill the disk
                del bodies[_key(planned)]
    finally:
        for body, _ in bodies.values():
            body.unlink(missing_ok=True)
    return problems


def _key(planned: PlannedCase) -> tuple[str, object]:
    """Cases with the same key get the same response."""
    return planned.path, tuple(planned.target.headers.items())


def _problems(planned: PlannedCase, found: Verification, body: Path, whole: Path | None) -> Iterator[str]:
    target = planned.target
    if planned.case.expect_failure:
        if found.failure is None and found.status == target.status:
            yield "the suite expects a failure, and the response came whole"
        return
    if found.failure is not None:
        yield found.failure
        return
    if found.status != target.status:
        yield f"status {found.status} instead of {target.status}"
        return
    if _digest(body) != found.digest:
        yield "the client's hash is not the hash of the bytes that it kept: a fault of streamgauge"
    if whole is not None and target.check == "bytes":
        difference = first_difference(whole, body)
        if difference is not None:
            yield (
                f"from byte {difference:,} on it differs from its whole form ({planned.case.baseline}): "
                f"{body.stat().st_size:,} bytes, the whole one has {whole.stat().st_size:,}. "
                'If the page changes by itself, set check = "length"'
            )
    elif whole is not None and body.stat().st_size != whole.stat().st_size:
        yield f"{body.stat().st_size:,} bytes, its whole form has {whole.stat().st_size:,}"


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


def _digest(body: Path) -> str:
    digest = xxhash.xxh3_64()
    with body.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()
