"""One server under test: started on a free port, ready when it has answered, ended with its block."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from harness.programs.ports import HOST, free_port, held_port
from harness.programs.processes import OwnedProcess, Processes, own_environment
from harness.redaction import Redaction
from harness.servers.proxying import RunningProxy, proxied
from harness.servers.remote import endpoint_to_ask
from harness.servers.surroundings import inherited_by
from harness.servers.wrapping import with_middleware
from harness.suites.endpoint import Endpoint
from harness.suites.matrix import PlannedCase
from harness.suites.target import Target
from harness.suites.variables import filled
from results.errors import MeasurementError
from scenarios.listener import NotHeard, Question, listen
from scenarios.specification import authority_of
from targets import proxies
from targets.servers import KINDS

READY_TIMEOUT_S = 30.0
#: A gevent worker of gunicorn takes over a second to end; nothing that it could still do is wanted.
STOP_GRACE_S = 0.5
_POLL_EVERY_S = 0.005
_IDENTITY = ("Accept-Encoding", "identity")
#: Two looks at a worker's CPU time (10 ms ticks) this far apart tell whether it is at rest.
_SETTLED_AFTER_S = 0.1
_PATIENCE_S = 3.0
_LAST_LINES = 3
_START_ATTEMPTS = 3
_OUTPUT_SHOWN_BYTES = 4000


class ServerFailed(MeasurementError):  # noqa: N818  - named for what happened
    """A server that did not start or did not answer; its own output is in the message.

    ``keys`` are those of the target that decide it, the likeliest first.
    """

    def __init__(self, message: str, *keys: str) -> None:
        super().__init__(message)
        self.keys = keys


#: What decides whether a server starts.
_TO_START = ("app", "command", "directory", "python", "environment", "middleware")
#: What decides whether one that has started answers.
_TO_ANSWER = ("ready", "url", "command", "middleware")


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that has answered. ``ran_as`` is what it said of itself (gunicorn: its worker class).

    ``process`` is null where it was there before us; ``pid`` where it is not known. Both are the server's;
    ``host`` (an IP address) and ``port`` are where it is asked: the proxy's, where one stands in front.
    """

    process: OwnedProcess | None
    pid: int | None
    host: str
    port: int
    ran_as: str | None
    target: Target
    proxy: RunningProxy | None = None

    def output(self) -> str:
        """The end of what the server wrote, without secrets, and of what its proxy did.

        Nothing of a server that was there before us.
        """
        redaction = Redaction.of_targets([self.target])
        server = redaction.tail(self.process, _OUTPUT_SHOWN_BYTES) if self.process is not None else ""
        proxy = redaction.text(self.proxy.output()) if self.proxy is not None else ""
        return "\n".join(filter(None, (server.rstrip("\n"), proxy)))

    def fallen(self) -> str | None:
        """That the proxy has ended, which nobody asked it to; null while it runs, and where there is none."""
        if self.proxy is None or self.proxy.process.returncode is None:
            return None
        return f"the proxy {self.proxy.kind} ended meanwhile (code {self.proxy.process.returncode})"


@contextmanager
def serving(
    planned: PlannedCase,
    *,
    processes: Processes,
    folder: Path,
    cores: Sequence[int] | None,
    python: str,
    host: str = HOST,
) -> Iterator[RunningServer]:
    """The case's app on the case's server, behind the case's proxy, ready to be measured.

    ``folder`` is private and made by us: the server's working directory unless the target has one.
    ``python`` runs the server unless the target has its own. What is asked listens at the IP address
    ``host``; a server behind a proxy of ours, which only that one asks, on the loopback interface. Raises
    ServerFailed and ProxyFailed.
    """
    proxied_by_us = planned.proxy_kind != proxies.NONE
    with _unproxied(planned, processes, folder, cores, python, HOST if proxied_by_us else host) as server:
        if not proxied_by_us:
            yield server
            return
        with proxied(
            planned.proxy_kind,
            planned.proxy_options,
            server.port,
            processes=processes,
            folder=folder,
            cores=cores,
            host=host,
        ) as proxy:
            yield replace(server, host=host, port=proxy.port, proxy=proxy)


@contextmanager
def _unproxied(
    planned: PlannedCase,
    processes: Processes,
    folder: Path,
    cores: Sequence[int] | None,
    python: str,
    host: str,
) -> Iterator[RunningServer]:
    if planned.target.url is not None:
        endpoint = endpoint_to_ask(planned)
        assert endpoint is not None  # noqa: S101  - a url has one
        _check_process(planned.target)
        _wait_until_ready(None, endpoint, planned.target)
        yield RunningServer(None, planned.target.pid, endpoint.address, endpoint.port, None, planned.target)
        return
    # verify has two at once: one that collects, and one that does not
    output = folder / f"server-{'collects' if planned.joined else 'streams'}.log"
    with with_middleware(planned, folder) as served:
        process, port = _start(served, planned.target, processes, folder, output, cores, python, host)
        try:
            kind = KINDS.get(planned.server_kind)
            ran_as = kind.worker_class_that_ran(process.output_head()) if kind is not None else None
            _check_class(planned, ran_as)
            yield RunningServer(process, process.pid, host, port, ran_as, planned.target)
        finally:
            # an app of somebody's own may have something to tidy up; ours has not
            process.stop(0 if planned.target.directory is None else STOP_GRACE_S)


def _start(
    planned: PlannedCase,
    target: Target,
    processes: Processes,
    folder: Path,
    output: Path,
    cores: Sequence[int] | None,
    python: str,
    host: str,
) -> tuple[OwnedProcess, int]:
    """``target`` is the suite's own, whose app may be wrapped in ``planned``: messages name it as it is."""
    for attempt in range(1, _START_ATTEMPTS + 1):
        # a server that shares no port with a socket that only holds it gets one that nobody holds
        port, holder = held_port(host) if attempt == 1 else (free_port(host), None)
        own = Endpoint(authority_of(host, port), (host,), port, is_remote=False)
        process = processes.start(
            _arguments(planned, host, port, python),
            cwd=target.directory or planned.checkout or folder,
            env=environment_of(planned),
            output=output,
            cpus=cores,
        )
        try:
            try:
                _wait_until_ready(process, own, target)
            finally:
                if holder is not None:
                    holder.close()
            workers = int(planned.case.parameters.get("workers", 1))
            if workers > 1:
                _wait_for_workers(process, own, target, workers)
        except ServerFailed:
            taken = "Address already in use" in process.output_tail(_OUTPUT_SHOWN_BYTES)
            process.stop(0)
            if taken and attempt < _START_ATTEMPTS:
                continue  # somebody took the port between our look and the server's start
            raise
        except BaseException:
            process.stop(0)
            raise
        return process, port
    raise AssertionError("the last attempt returns or raises")


def _check_process(target: Target) -> None:
    if target.pid is not None and not psutil.pid_exists(target.pid):
        raise ServerFailed(
            f"there is no process {target.pid}, the pid of {target.name}; correct it, or leave it out",
            "pid",
        )


def _arguments(planned: PlannedCase, host: str, port: int, python: str) -> list[str]:
    target = planned.target
    if target.command is not None:
        return [
            word.format(bind=authority_of(host, port), host=host, port=port)
            for word in shlex.split(target.command)
        ]
    assert target.app is not None  # noqa: S101  - the third kind is not started
    kind = KINDS[planned.server_kind]
    options = kind.read_options(planned.server_options)
    return kind.arguments(options, app=target.app, host=host, port=port, python=str(target.python or python))


def environment_of(planned: PlannedCase) -> Mapping[str, str]:
    """The variables of the case's server."""
    target = planned.target
    kind = KINDS.get(planned.server_kind)
    cleared = list(kind.VARIABLES_TO_CLEAR) if kind is not None else []
    if target.directory is None:
        inherited, cleared = own_environment(), [*cleared, "FLASK_DEBUG"]
    else:
        inherited = inherited_by(target)
    variables = {name: value for name, value in inherited.items() if name not in cleared}
    variables |= {name: filled(text) for name, text in target.environment.items()}
    if planned.python_path:
        before = variables.get("PYTHONPATH")
        folders = [*([before] if before else []), *map(str, planned.python_path)]
        variables["PYTHONPATH"] = os.pathsep.join(folders)
    return {**variables, **planned.variables}


def _wait_until_ready(process: OwnedProcess | None, endpoint: Endpoint, target: Target) -> None:
    """Until the readiness path has answered: ours asks for one row, and so is the one small request."""
    begun = time.monotonic()
    deadline = begun + READY_TIMEOUT_S
    while True:
        if process is not None and process.returncode is not None:
            raise ServerFailed(
                f"the server of {target.name} ({target.served}) ended with code {process.returncode} before "
                f"it answered. Its own output:\n{_indented(process, target)}",
                *_TO_START,
            )
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise ServerFailed(
                f"the server of {target.name} ({target.served}) did not answer {target.ready} within "
                f"{READY_TIMEOUT_S:g} s. Its own output:\n{_indented(process, target)}",
                *_TO_ANSWER,
            )
        status = _ask(endpoint, target, left_s)
        if status is not None and status < 500:
            return
        if status is not None:
            own_output = _indented(process, target)
            factory = _is_factory(target, own_output)
            remedy = "Mend the app, or name a path that works as `ready`"
            if factory:
                remedy = f'What makes an app is named with its parentheses: app = "{target.app}()"'
            raise ServerFailed(
                f"the server of {target.name} ({target.served}) answered {target.ready} with status "
                f"{status}. {remedy}. Its own output:\n{own_output}",
                *(("app",) if factory else _TO_ANSWER),
            )
        if process is None and time.monotonic() > begun + _PATIENCE_S:
            raise ServerFailed(
                f"{target.name}: nobody answers at {target.url}. streamgauge does not start this server: "
                "start it before, and leave it running",
                "url",
            )
        time.sleep(_POLL_EVERY_S)


def _wait_for_workers(process: OwnedProcess, endpoint: Endpoint, target: Target, workers: int) -> None:
    """Until all workers are there and at rest: one that is still importing would seem to grow.

    Each is then likely to have answered a small request; which one answers is the kernel's choice.
    """
    begun = time.monotonic()
    deadline = begun + READY_TIMEOUT_S
    before: dict[int, float] = {}
    while time.monotonic() < deadline:
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended between two looks: look again
            children = psutil.Process(process.pid).children(recursive=True)
            used = {child.pid: sum(child.cpu_times()[:2]) for child in children}
            # an app may have threads of its own that never rest
            rested = used == before or time.monotonic() > begun + _PATIENCE_S
            if len(used) >= workers and rested:
                answers = (_ask(endpoint, target, deadline - time.monotonic()) for _ in range(4 * workers))
                if None not in answers:
                    return
            before = used
        time.sleep(_SETTLED_AFTER_S)
    raise ServerFailed(
        f"the server of {target.name} ({target.served}) has no {workers} workers that answer after "
        f"{READY_TIMEOUT_S:g} s. Its own output:\n{_indented(process, target)}",
        *_TO_START,
    )


def _ask(endpoint: Endpoint, target: Target, timeout_s: float) -> int | None:
    """The status of the readiness path, None while nobody listens or the answer breaks off.

    Takes ``timeout_s`` at most, however slowly an answer drips in, and keeps nothing of a body. Raises
    ServerFailed for an answer that begins and has no end within that time, and for one that is not HTTP.
    """
    named = tuple((name, filled(text)) for name, text in target.headers.items())
    asked = any(name.lower() == _IDENTITY[0].lower() for name, _ in named)
    question = Question(
        f"http://{endpoint.authority}{target.ready}",
        headers=named if asked else (*named, _IDENTITY),
        longest_s=timeout_s,
        addresses=(endpoint.address,),
    )
    try:
        heard = listen(question)
    except NotHeard:
        return None
    if heard.malformed:
        raise ServerFailed(
            f"the server of {target.name} ({target.served}) answered {target.ready} with what is no valid "
            f"HTTP/1 response: {heard.failure}. Mend the server, or name one that speaks HTTP/1",
            *_TO_ANSWER,
        )
    if heard.complete:
        return heard.status
    if heard.failure is not None or not heard.body_bytes:
        return None
    raise ServerFailed(
        f"the server of {target.name} ({target.served}) began to answer {target.ready} and had not ended "
        f"after {timeout_s:.3g} s: {heard.body_bytes:,} bytes came. Name a path with a small response as "
        "`ready`",
        "ready",
    )


def _is_factory(target: Target, output: str) -> bool:
    """Whether what is named as the app seems to be what makes one: it was called with a request."""
    name = (target.app or "").rpartition(":")[2]
    if not name.isidentifier():
        return False
    return bool(re.search(rf"TypeError: (?:{name}\(\) takes|'Flask' object is not iterable)", output))


def _check_class(planned: PlannedCase, ran_as: str | None) -> None:
    wanted: Any = planned.case.parameters.get("worker_class")
    if wanted is not None and ran_as != wanted:
        raise ServerFailed(
            f"the suite asked for worker class {wanted}, and the server says that it runs {ran_as}; "
            "figures under the wrong name would be worse than none. Does the app change the server's log?",
            "app",
        )


def _indented(process: OwnedProcess | None, target: Target) -> str:
    if process is None:
        return "    (it is not started by us: start it before the run, and see there)"
    output = Redaction.of_targets([target]).tail(process, _OUTPUT_SHOWN_BYTES)
    lines = output.strip().splitlines() or ["(it wrote nothing)"]
    return "\n".join(f"    {line}" for line in lines)


def last_words(output: str) -> str:
    """The end of what a server wrote, to go behind a reason; nothing where it wrote nothing."""
    lines = output.strip().splitlines()[-_LAST_LINES:]
    return "; the server's last words: " + " | ".join(line.strip() for line in lines) if lines else ""
