"""What the doctor looks at, and with which tools."""

from __future__ import annotations

import contextlib
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from harness.programs.ports import HOST, free_port
from harness.programs.private_folder import private_folder
from harness.programs.processes import OwnedProcess, Processes
from harness.servers.serving import RunningServer, serving
from harness.servers.surroundings import inherited_by
from harness.suites.matrix import PlannedCase
from harness.suites.variables import filled
from results.errors import MeasurementError
from scenarios.decoding import encodings
from scenarios.listener import NotHeard, Question, listen
from targets import proxies

_READY_S = 10.0
_POLL_EVERY_S = 0.01
_ACCEPT = "Accept-Encoding"


@dataclass(frozen=True, slots=True)
class Subject:
    """An app with what serves it, or a server of the target's own.

    ``command`` serves the target's app in place of the case's server, and has ``{app}`` where it is named.
    ``proxy_command`` is a proxy of somebody's own in front: ``{bind}`` is where it listens, ``{upstream}``
    the server.
    """

    planned: PlannedCase
    command: str | None = None
    proxy_command: str | None = None
    longest_s: float = 10.0

    @property
    def is_proxied(self) -> bool:
        """Whether something stands in front of the server."""
        return self.proxy_command is not None or self.planned.proxy_kind != proxies.NONE

    @property
    def unproxied(self) -> Subject:
        """The same without what stands in front."""
        return replace(
            self, planned=replace(self.planned, proxy_kind=proxies.NONE, proxy_options={}), proxy_command=None
        )

    def question(self, port: int, extra: tuple[tuple[str, str], ...] = ()) -> Question:
        """What is asked on a port; ``extra`` headers go before the target's of the same name."""
        target = self.planned.target
        named = tuple((name, filled(text)) for name, text in target.headers.items())
        return Question(
            url=f"http://{HOST}:{port}{self.planned.path}",
            method=target.method,
            headers=as_browsers_ask((*extra, *named)),
            body=None if target.body is None else filled(target.body),
            row_marker=target.row_marker,
            longest_s=self.longest_s,
        )


def as_browsers_ask(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The headers, each name once, and what may be compressed: who is not asked compresses nothing."""
    found: dict[str, tuple[str, str]] = {}
    for name, value in (*headers, (_ACCEPT, ", ".join(encodings()))):
        found.setdefault(name.lower(), (name, value))
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Tools:
    """``folder`` is private; ``python`` runs what has no interpreter of its own."""

    processes: Processes
    folder: Path
    python: str


@contextlib.contextmanager
def tools() -> Iterator[Tools]:
    """Everything that is started ends with the block."""
    with private_folder() as folder, Processes(folder) as processes:
        yield Tools(processes, folder, sys.executable)


@contextlib.contextmanager
def standing(subject: Subject, shop: Tools) -> Iterator[RunningServer]:
    """The subject's server, behind its proxy, ready to be asked. Raises MeasurementError."""
    planned = subject.planned
    if subject.command is not None and planned.target.app is not None:
        command = subject.command.replace("{app}", planned.target.app)
        target = planned.target.model_copy(update={"app": None, "command": command})
        named = {"server": "command", "scenario": planned.case.parameters["scenario"]}
        case = replace(
            planned.case, parameters=named
        )  # none of the options that the case's server would have
        planned = replace(planned, case=case, target=target, server_kind="command")
    with serving(
        planned, processes=shop.processes, folder=shop.folder, cores=None, python=shop.python
    ) as server:
        if subject.proxy_command is None:
            yield server
            return
        with _own_proxy(subject.proxy_command, server, shop) as port:
            yield replace(server, port=port)


@contextlib.contextmanager
def _own_proxy(command: str, server: RunningServer, shop: Tools) -> Iterator[int]:
    port = free_port()
    words = [
        word.format(bind=f"{HOST}:{port}", host=HOST, port=port, upstream=f"{HOST}:{server.port}")
        for word in shlex.split(command)
    ]
    process = shop.processes.start(
        words,
        cwd=server.target.directory or Path.cwd(),
        env=inherited_by(server.target),
        output=shop.folder / "proxy.log",
    )
    try:
        _await_answer(process, port, server.target.ready, command)
        yield port
    finally:
        process.stop(0)


def _await_answer(process: OwnedProcess, port: int, ready: str, command: str) -> None:
    """Until it has passed on a response: a bare connection would be one more that a server waits for."""
    deadline = time.monotonic() + _READY_S
    while True:
        answered = False
        with contextlib.suppress(NotHeard):
            heard = listen(Question(f"http://{HOST}:{port}{ready}", longest_s=_READY_S))
            answered = heard.status is not None and heard.failure is None
        if answered:
            return
        if process.returncode is not None or time.monotonic() >= deadline:
            words = process.output_tail().strip() or "(it wrote nothing)"
            raise MeasurementError(
                f"the proxy {command} does not answer on {HOST}:{port} ({{bind}}). Its own output:\n{words}"
            )
        time.sleep(_POLL_EVERY_S)
