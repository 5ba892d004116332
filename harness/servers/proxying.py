"""One proxy in front of a server: found, configured, started on a free port, ended with its block."""

from __future__ import annotations

import http.client
import os
import pwd
import resource
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.programs.ports import HOST, free_port
from harness.programs.processes import OwnedProcess, Processes
from results.errors import MeasurementError, UsageError
from targets.proxies import KINDS, Place

#: Where system programs are that an ordinary user's PATH may lack.
_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin")
_READY_TIMEOUT_S = 10.0
#: Who says nothing for so long is asked again: it may be somebody else, who has taken the port.
_ANSWER_TIMEOUT_S = 1.0
_POLL_EVERY_S = 0.005
_VERSION_TIMEOUT_S = 10.0
_START_ATTEMPTS = 3
_OUTPUT_SHOWN_BYTES = 4000
#: A connection takes two files. More than a load has, and not so many that their table costs memory.
_MOST_OPEN_FILES = 1 << 15


class ProxyFailed(MeasurementError):  # noqa: N818  - named for what happened
    """A proxy that did not start or did not answer; its own output is in the message."""


@dataclass(frozen=True, slots=True)
class RunningProxy:
    """A proxy that has answered on ``port``; ``version`` is what the program says of itself."""

    process: OwnedProcess
    kind: str
    port: int
    version: str | None

    def output(self) -> str:
        """The end of what the proxy wrote: its errors."""
        return self.process.output_tail(_OUTPUT_SHOWN_BYTES)


def find_program(name: str) -> Path | None:
    """A system program, found in PATH or where Debian and others keep servers; None without one."""
    folders = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS])
    found = shutil.which(name, path=folders)
    return Path(found) if found is not None else None


def installed_version(kind: str) -> str | None:
    """The version of an installed proxy, None where it is not installed or does not say."""
    program = find_program(KINDS[kind].PROGRAM)
    if program is None:
        return None
    try:
        said = subprocess.run(
            KINDS[kind].version_arguments(str(program)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_VERSION_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return KINDS[kind].version_in(said.stdout)


def check_proxies(kinds: Iterable[str]) -> None:
    """That the program of each of these kinds is installed. Raises UsageError with how to install it."""
    missing = [kind for kind in dict.fromkeys(kinds) if find_program(KINDS[kind].PROGRAM) is None]
    if missing:
        raise UsageError("\n".join(_not_installed(kind) for kind in missing))


@contextmanager
def proxied(
    kind: str,
    options: Mapping[str, Any],
    upstream_port: int,
    *,
    processes: Processes,
    folder: Path,
    cores: Sequence[int] | None,
    host: str = HOST,
) -> Iterator[RunningProxy]:
    """A proxy of one of `targets.proxies.KINDS` in front of a port on loopback, ready to be asked.

    It listens at the IP address ``host``.
    ``options`` are those of a suite's `[[proxy]]`. ``folder`` is private and made by us: configuration and
    temporary files are in a folder of their own in it, gone afterwards. Raises ProxyFailed, and UsageError
    where the program is not installed.
    """
    program = find_program(KINDS[kind].PROGRAM)
    if program is None:
        raise UsageError(_not_installed(kind))
    own = folder / f"{kind}-{secrets.token_hex(4)}"
    own.mkdir()
    try:
        process, port = _start(kind, options, upstream_port, str(program), processes, own, cores, host)
        try:
            yield RunningProxy(process, kind, port, installed_version(kind))
        finally:
            process.stop(0)  # what it still holds nobody waits for
    finally:
        shutil.rmtree(own)


def _start(
    kind: str,
    options: Mapping[str, Any],
    upstream_port: int,
    program: str,
    processes: Processes,
    own: Path,
    cores: Sequence[int] | None,
    host: str,
) -> tuple[OwnedProcess, int]:
    proxy = KINDS[kind]
    environment = {name: value for name, value in os.environ.items() if name not in proxy.VARIABLES_TO_CLEAR}
    for attempt in range(1, _START_ATTEMPTS + 1):
        place = Place(
            host=host,
            port=free_port(host),
            upstream_host=HOST,
            upstream_port=upstream_port,
            # so that nobody else's server on this port is taken for ours
            ready_path=f"/streamgauge-{secrets.token_hex(16)}",
            user=_user(),
            open_files=_open_files(),
        )
        text = proxy.configuration(proxy.read_options(options), place)
        (own / proxy.CONFIGURATION_FILE).write_text(text)
        process = processes.start(
            proxy.arguments(program, str(own)),
            cwd=own,
            env=environment,
            output=own / "output.log",
            cpus=cores,
        )
        try:
            _wait_until_ready(kind, process, place)
        except ProxyFailed:
            taken = "Address already in use" in process.output_tail(_OUTPUT_SHOWN_BYTES)
            process.stop(0)
            if taken and attempt < _START_ATTEMPTS:
                continue  # somebody took the port between our look and the proxy's start
            raise
        except BaseException:
            process.stop(0)
            raise
        return process, place.port
    raise AssertionError("the last attempt returns or raises")


def _wait_until_ready(kind: str, process: OwnedProcess, place: Place) -> None:
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while not _answers(place):
        if process.returncode is not None:
            how = f"ended with code {process.returncode} before it answered"
        elif time.monotonic() > deadline:
            how = f"did not answer within {_READY_TIMEOUT_S:g} s"
        else:
            time.sleep(_POLL_EVERY_S)
            continue
        words = process.output_tail(_OUTPUT_SHOWN_BYTES).strip() or "(it wrote nothing)"
        lines = "\n".join(f"    {line}" for line in words.splitlines())
        raise ProxyFailed(
            f"the proxy {kind} {how}. Is it an {kind} with the usual modules? Its own output:\n{lines}"
        )


def _answers(place: Place) -> bool:
    connection = http.client.HTTPConnection(place.host, place.port, timeout=_ANSWER_TIMEOUT_S)
    try:
        connection.request("GET", place.ready_path)
        return connection.getresponse().status == http.HTTPStatus.NO_CONTENT
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _user() -> str | None:
    """Who the workers run as: a root's would become nobody, who may not enter our folder."""
    return pwd.getpwuid(0).pw_name if os.geteuid() == 0 else None


def _open_files() -> int:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_OPEN_FILES if most == resource.RLIM_INFINITY else min(most, _MOST_OPEN_FILES)


def _not_installed(kind: str) -> str:
    return (
        f"the proxy {kind} is not installed, neither in PATH nor in {' or '.join(_SYSTEM_FOLDERS)}; "
        f"install it ({KINDS[kind].INSTALL}), or leave its [[proxy]] out"
    )
