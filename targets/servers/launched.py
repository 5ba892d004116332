"""The servers that `launch.py` starts: a few plain options each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from targets.servers.options import Number, Options, Switch, read

_LAUNCH: Final = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class Launched:
    """One of them; `targets.servers.server.Server` says what its members are.

    ``known`` holds its options, whose defaults are the server's own.
    """

    kind: str
    DISTRIBUTION: str
    MODULE: str
    known: Mapping[str, Number | Switch]
    VARIABLES_TO_CLEAR: tuple[str, ...] = ()

    def read_options(self, given: Mapping[str, object]) -> Options:
        """Read the options of a suite's table. Raises OptionError with all that is wrong."""
        return read(self.kind, self.known, given)

    def in_force(self, options: Options) -> dict[str, str | int]:
        """Return each option with the value that the server runs with."""
        return dict(options)

    def arguments(self, options: Options, *, app: str, host: str, port: int, python: str) -> list[str]:
        """Return the command that serves `app` (as a suite names it) on `host` and `port` with `python`."""
        given = [f"{name}={int(value)}" for name, value in options.items()]
        return [python, "-P", str(_LAUNCH), self.kind, app, host, str(port), *given]

    def worker_class_that_ran(self, server_output: str) -> str | None:  # noqa: ARG002  - they have none
        """Return None: none of them has worker classes."""
        return None


#: Threads behind one that reads and writes for all. What the app yields waits until there are ``send_bytes``
#: of it. From waitress 3.0 (`adjustments.py`).
WAITRESS: Final = Launched(
    "waitress",
    "waitress",
    "waitress",
    MappingProxyType({"threads": Number(4, 1, 999), "send_bytes": Number(1, 1, 2**30)}),
)
#: The development server that ``flask run`` starts, which gives each request a thread of its own.
WERKZEUG: Final = Launched(
    "werkzeug",
    "Werkzeug",
    "werkzeug",
    MappingProxyType({"threaded": Switch(True)}),
    ("WERKZEUG_RUN_MAIN", "WERKZEUG_SERVER_FD"),  # left by a reloader above us
)
#: A pool of threads. From cheroot 11.1 (`wsgi.py`).
CHEROOT: Final = Launched("cheroot", "cheroot", "cheroot", MappingProxyType({"threads": Number(10, 1, 999)}))
#: A server in Rust that runs the app in threads, its blocking ones. From granian 2.8 (`server/common.py`).
GRANIAN: Final = Launched(
    "granian",
    "granian",
    "granian",
    MappingProxyType({"workers": Number(1, 1, 512), "threads": Number(1, 1, 999)}),
)
#: uWSGI from its wheel, on its HTTP socket: no router in front. From uWSGI 2.0.30 (`core/uwsgi.c`).
UWSGI: Final = Launched(
    "uwsgi",
    "pyuwsgi",
    "pyuwsgi",
    MappingProxyType({"workers": Number(1, 1, 512), "threads": Number(1, 1, 999)}),
    ("UWSGI_RELOADS", "UWSGI_ORIGINAL_PROC_NAME", "UWSGI_EMPEROR_FD"),  # left by a uWSGI above us
)
