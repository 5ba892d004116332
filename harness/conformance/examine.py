"""Conducts `conform`: each check of each server, on a server that is started for it alone."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from harness.conformance.chosen import Chosen, version_of
from harness.conformance.error import error
from harness.conformance.flush import flush
from harness.conformance.framing import framing
from harness.conformance.hang_up import hang_up
from harness.conformance.head import head
from harness.conformance.stall import stall
from harness.conformance.subject import Subject
from harness.conformance.teardown import teardown_orders
from harness.conformance.testimony import Testimony
from harness.conformance.timeout import timeout, unasked, with_a_timeout
from harness.conformance.wsgi import wsgi
from harness.environment import read_environment
from harness.programs.cores import Cores, split_cores
from harness.programs.private_folder import private_folder
from harness.programs.processes import Processes, SupervisorDied
from harness.servers.serving import last_words, serving
from harness.suites.matrix import PlannedCase
from harness.suites.target import Target
from results.case import Case
from results.conformance.findings import Conformance, Finding, Missing, ServerFindings
from results.conformance.questions import QUESTIONS, Check
from results.errors import MeasurementError
from scenarios.specification import Download
from targets.servers import KINDS
from targets.witness import FILE_VARIABLE

CHECKS: Mapping[Check, Callable[[Subject], list[Finding]]] = MappingProxyType(
    {
        Check.FLUSH: flush,
        Check.FRAMING: framing,
        Check.ERROR: error,
        Check.HANG_UP: hang_up,
        Check.HEAD: head,
        Check.STALL: stall,
        Check.TIMEOUT: timeout,
        Check.WSGI: wsgi,
    }
)
"""All but `Check.FLASK`, which asks no server."""

#: What `serving` wants to know of an app: ours is asked for nothing but to be ready.
_TARGET = MappingProxyType(
    {"name": "conform", "app": "targets.witness:app", "stream": "/", "expect": "failure", "ready": "/"}
)


class Watcher(Protocol):
    """Is told how it goes on."""

    def examining(self, label: str, check: Check) -> None:
        """A check of a server begins."""

    def examined(self) -> None:
        """A server's checks are through."""

    def failed(self, label: str, check: Check, reason: str) -> None:
        """It could not be made."""


def examine(
    servers: Sequence[Chosen], missing: Sequence[Missing], checks: Sequence[Check], watcher: Watcher
) -> Conformance:
    """Ask every server. What could not be told is among its findings' failures.

    Everything that is started ends with the call, and with this process, however that ends. Raises
    SupervisorDied.
    """
    cores = split_cores()
    asked = [check for check in CHECKS if check in checks]
    measured_utc = datetime.now(UTC).isoformat(timespec="seconds")
    environment = read_environment(cores, None)  # now: the load is that of others still
    with private_folder() as folder, Processes(folder) as processes:
        bench = _Bench(processes, folder, cores)
        found = [_server(bench, chosen, asked, watcher) for chosen in servers if asked]
    return Conformance(
        measured_utc=measured_utc,
        environment=environment,
        checks=list(checks),
        servers=found,
        missing=list(missing),
        flask=teardown_orders() if Check.FLASK in checks else [],
    )


@dataclass(frozen=True, slots=True)
class _Bench:
    """What every server is started with; ``folder`` is private and made by us."""

    processes: Processes
    folder: Path
    cores: Cores

    @contextlib.contextmanager
    def subject(self, kind: str, options: Mapping[str, str | int]) -> Iterator[Subject]:
        """A fresh server of the witness. Raises ServerFailed; a failure inside gets its last words."""
        records = self.folder / "witness"
        records.unlink(missing_ok=True)
        in_force = _in_force(kind, options)
        planned = PlannedCase(
            case=Case(in_force, baseline=None),
            target=Target.model_validate(dict(_TARGET)),
            path="/",
            server_kind=kind,
            server_options=options,
            load=Download(1),
            keep_alive=True,
            variables={FILE_VARIABLE: str(records)},
        )
        with serving(
            planned,
            processes=self.processes,
            folder=self.folder,
            cores=self.cores.server,
            python=sys.executable,
        ) as running:
            assert running.pid is not None  # noqa: S101  - it was started by us
            try:
                yield Subject(running.port, running.pid, Testimony(records), in_force)
            except MeasurementError as failed:
                raise MeasurementError(f"{failed}{last_words(running.output())}") from failed


def _server(bench: _Bench, chosen: Chosen, checks: Sequence[Check], watcher: Watcher) -> ServerFindings:
    found: list[Finding] = []
    failures: dict[Check, str] = {}
    for check in checks:
        watcher.examining(chosen.label, check)
        try:
            found += _findings(bench, chosen, check)
        except SupervisorDied:
            raise
        except MeasurementError as failed:
            failures[check] = str(failed)
            watcher.failed(chosen.label, check, str(failed))
    watcher.examined()
    order = list(QUESTIONS)
    return ServerFindings(
        label=chosen.label,
        kind=chosen.kind,
        options=_in_force(chosen.kind, chosen.options),
        version=version_of(chosen.kind) or "",
        findings=sorted(found, key=lambda finding: order.index(finding.question)),
        failures=failures,
    )


def _findings(bench: _Bench, chosen: Chosen, check: Check) -> list[Finding]:
    """What was found, each with the options that were in force."""
    options = chosen.options
    if check is Check.TIMEOUT:
        options = with_a_timeout(options, _in_force(chosen.kind, options))
    in_force = _in_force(chosen.kind, options)
    if check is Check.TIMEOUT and (told := unasked(in_force)):
        found = [told]
    else:
        with bench.subject(chosen.kind, options) as subject:
            found = CHECKS[check](subject)
    return [replace(finding, options=in_force) for finding in found]


def _in_force(kind: str, options: Mapping[str, str | int]) -> Mapping[str, str | int]:
    return KINDS[kind].in_force(KINDS[kind].read_options(options))
