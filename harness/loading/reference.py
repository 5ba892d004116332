"""The reference server as a child process: started, asked for its truth, ended with its block."""

from __future__ import annotations

import http.client
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.programs.ports import HOST
from harness.programs.processes import OwnedProcess, Processes, own_environment
from results.calibration import ServerTruth, unpack_truth
from results.errors import MeasurementError
from targets import reference_server

_START_TIMEOUT_S = 30.0
_TRUTH_TIMEOUT_S = 30.0
_POLL_EVERY_S = 0.005


class ReferenceFailed(MeasurementError):  # noqa: N818  - named for what happened
    """The reference server did not start, or did not tell what it knows."""


@dataclass(frozen=True, slots=True)
class ReferenceServer:
    """One that listens on ``port`` of the IP address ``host``."""

    process: OwnedProcess
    host: str
    port: int

    def truth(self) -> ServerTruth:
        """What it knows of the requests that it answered since this was asked last.

        Raises ReferenceFailed.
        """
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_TRUTH_TIMEOUT_S)
        try:
            connection.request("GET", "/truth")
            packed = connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            raise ReferenceFailed(
                f"the reference server does not tell what it knows ({error!r}); try again. Its own output:\n"
                f"{self.process.output_tail()}"
            ) from error
        finally:
            connection.close()
        return unpack_truth(packed)


@contextmanager
def reference(
    processes: Processes,
    folder: Path,
    cores: Sequence[int] | None,
    options: Sequence[str] = (),
    host: str = HOST,
) -> Iterator[ReferenceServer]:
    """A reference server with these command-line options, on these cores, at the IP address ``host``.

    ``folder`` takes its output.

    Raises ReferenceFailed.
    """
    process = processes.start(
        [
            *(sys.executable, "-I", "-S", str(Path(reference_server.__file__).resolve())),
            *("--host", host, *options),
        ],
        cwd=folder,
        env=own_environment(),
        output=folder / "reference.log",
        cpus=cores,
    )
    try:
        yield ReferenceServer(process, host, _port(process))
    finally:
        process.stop()


def _port(process: OwnedProcess) -> int:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while process.returncode is None and time.monotonic() < deadline:
        line, end, _ = process.output_head().partition("\n")
        if end and line.isdecimal():
            return int(line)
        time.sleep(_POLL_EVERY_S)
    raise ReferenceFailed(
        "the reference server did not start, so that the client's error cannot be told. Its own output:\n"
        f"{process.output_tail()}"
    )
