"""``--processes`` and ``--listen``: who shares the load of a run, and how they get in."""

from __future__ import annotations

import ipaddress
import os
import secrets
import shlex
import socket
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.load_side import LOAD_PROCESSES
from harness.cli.prose import say
from harness.cli.typed import typed
from harness.loading.crew import PORT, Crew, own_crew
from harness.programs.ports import parted
from harness.suites.matrix import PlannedCase
from harness.suites.suite import Suite
from results.errors import UsageError
from results.run import RunHeader
from scenarios.specification import Load, authority_of
from scenarios.workers.messages import MOST_ASKED_BYTES
from scenarios.workers.settings import TOKEN_VARIABLE
from scenarios.workers.sharing import divisible

_TOKEN_BYTES = 24
_SHORTEST_TOKEN = 16


@dataclass(frozen=True, slots=True)
class CrewWords:
    """What was asked for; all null in a run whose driver makes the load alone."""

    processes: int | None
    listen: str | None
    expect_workers: int | None
    enough_workers: int | None
    token_file: Path | None


def crew_of(words: CrewWords, stored: RunHeader | None = None, *, tells: bool) -> Crew | None:
    """Who shares the load; null where the driver makes it alone. A ``stored`` run goes on as it began.

    A new token is made only in a run that ``tells`` it. Raises UsageError where the words do not fit
    together, or the address cannot be had.
    """
    _check(words)
    marked = None if stored is None else stored.environment.get(LOAD_PROCESSES)
    if words.listen is not None:
        assert words.expect_workers is not None  # noqa: S101  - checked
        host, port = _address(words.listen)
        given = given_token(words.token_file)
        if given is None and not tells:
            raise UsageError(
                f"--quiet would tell nobody a new token: give one with --token-file, or in {TOKEN_VARIABLE}"
            )
        return Crew(
            words.expect_workers,
            words.enough_workers or words.expect_workers,
            host,
            port,
            given or secrets.token_urlsafe(_TOKEN_BYTES),
            token_is_new=given is None,
        )
    processes = words.processes
    if processes is None and marked is not None:
        processes = marked.get("here")
        if processes is None:
            raise UsageError(
                f"its load came from {marked['elsewhere']} workers of other machines: go on with --listen "
                f"and --expect-workers {marked['elsewhere']}"
            )
    return None if processes is None else own_crew(processes, secrets.token_urlsafe(_TOKEN_BYTES))


def _check(words: CrewWords) -> None:
    if words.processes is not None and words.listen is not None:
        raise UsageError(
            "--processes makes the load on this machine, --listen has others make it; give one of them. "
            "`streamgauge worker --processes` says how many each of the others starts"
        )
    if words.listen is None:
        for name in ("expect_workers", "enough_workers", "token_file"):
            if getattr(words, name) is not None:
                raise UsageError(f"--{name.replace('_', '-')} is about workers that join; give --listen too")
    elif words.expect_workers is None:
        raise UsageError("--listen waits for workers: say for how many with --expect-workers")
    elif (words.enough_workers or 0) > words.expect_workers:
        raise UsageError("--enough-workers cannot be more than --expect-workers")


def _address(given: str) -> tuple[str, int]:
    """The address and port to listen on, which can be had. Raises UsageError."""
    remedy = "give one IP address of this machine, like 10.0.0.1, 10.0.0.1:5557 or [fd00::1]:5557"
    try:
        text, port = parted(given, PORT)
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise UsageError(f"--listen {given}: {error}; {remedy}") from error
    if address.is_unspecified or "%" in text:
        raise UsageError(
            f"--listen {given}: workers, and the servers under test, are to be reached at one address and "
            f"nowhere else; {remedy}"
        )
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the master will
        try:
            probe.bind((text, port))
        except OSError as error:
            raise UsageError(f"--listen {given}: {error.strerror}; {remedy}") from error
    if address.is_global:
        say(
            f"WARNING: {address} is a public address: whoever reaches it reaches the servers under test, and "
            "may try to join. Use a private network, or a tunnel.",
            err=True,
        )
    return text, port


def given_token(file: Path | None) -> str | None:
    """The token in the file, or in the environment; null where neither has one. Raises UsageError."""
    if file is not None:
        try:
            token, where = file.read_text(encoding="utf-8").strip(), str(file)
            others = file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--token-file {file}: {getattr(error, 'strerror', None) or error}") from error
        if others:
            say(
                f"WARNING: {file} is open to other users of this machine, who could join the run with its "
                f"token; close it with: {shlex.join(['chmod', '600', str(file)])}",
                err=True,
            )
    else:
        token, where = os.environ.get(TOKEN_VARIABLE, "").strip(), TOKEN_VARIABLE
        if not token:
            return None
    if len(token) < _SHORTEST_TOKEN:
        raise UsageError(
            f"the token in {where} has {len(token)} characters, and at least {_SHORTEST_TOKEN} are needed: "
            "who guesses it can join the run. Give both sides a longer one, or the run none: it makes one"
        )
    return token


def marked_crew(environment: Mapping[str, Any], crew: Crew | None) -> dict[str, Any]:
    """The environment record of a run whose load several processes share, here or elsewhere."""
    if crew is None:
        return dict(environment)
    return {**environment, LOAD_PROCESSES: {"elsewhere" if crew.is_elsewhere else "here": crew.expected}}


def check_shared(crew: Crew, suite: Suite, cases: Sequence[PlannedCase]) -> None:
    """That they can make the load of these cases, and a warning where some will have nothing to do.

    Raises UsageError.
    """
    if crew.is_elsewhere and suite.network:
        raise UsageError(
            f"{suite.name} has a [[network]], a line within this machine, and --listen has others ask over a "
            "real one; leave one of the two out"
        )
    for target in (planned.target for planned in cases):
        asked_bytes = len((target.body or "").encode())
        if asked_bytes > MOST_ASKED_BYTES:
            raise UsageError(
                f"[[target]] {target.name}: its body of {asked_bytes:,} bytes is too long to be handed to "
                f"several load processes, which take {MOST_ASKED_BYTES:,}; shorten it, or have the run's own "
                "driver make the load"
            )
    warn_of_idle(crew, (planned.load for planned in cases))


def warn_of_idle(crew: Crew, loads: Iterable[Load]) -> None:
    """Say on standard error that some will have nothing to do, where no load can be shared among so many."""
    most = max(map(divisible, loads))
    if most < crew.expected:
        say(
            f"{crew.expected} load processes are asked for, and no case has more than {most} "
            f"user{'s' if most > 1 else ''} or connections to share among them: the others will do nothing",
            err=True,
        )


def words_again(crew: Crew | None) -> list[str]:
    """What has to be said of the crew once more where a run goes on; of processes here nothing."""
    if crew is None or not crew.is_elsewhere:
        return []
    enough = [] if crew.enough == crew.expected else ["--enough-workers", str(crew.enough)]
    return ["--listen", authority_of(crew.host, crew.port), "--expect-workers", str(crew.expected), *enough]


def told_how_to_join(crew: Crew) -> str:
    """What is to be typed on each load machine; a token that was given is not shown."""
    command = typed("worker", "--master", authority_of(crew.host, crew.port))
    if crew.token_is_new:
        return f"on each load machine:\n    {TOKEN_VARIABLE}={crew.token} {command}"
    return f"on each load machine, with the same token:\n    {command}"
