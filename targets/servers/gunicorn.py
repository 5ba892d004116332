"""gunicorn: the options of its three WSGI worker classes, and its command line.

Which option a class reads was taken from the sources of gunicorn 27.0.1 (`config.py`, `arbiter.py`,
`workers/`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Final

from targets.servers.server import OptionError

DISTRIBUTION: Final = "gunicorn"
MODULE: Final = "gunicorn"

VARIABLES_TO_CLEAR: Final = (
    "GUNICORN_CMD_ARGS",  # any setting
    "WEB_CONCURRENCY",  # workers
    "SENDFILE",
    "FORWARDED_ALLOW_IPS",
    "SCRIPT_NAME",  # a path that each request must start with
    "GUNICORN_PID",  # left by a gunicorn above us: ours would take itself for its successor
    "GUNICORN_FD",
    "LISTEN_PID",  # sockets handed over by systemd, used in place of ours
    "LISTEN_FDS",
    "NOTIFY_SOCKET",
)

DEFAULTS: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {
        "sync": {"workers": 1, "preload": False, "timeout_s": 30},
        "gthread": {"workers": 1, "preload": False, "threads": 1, "timeout_s": 30, "keep_alive_s": 2},
        "gevent": {"workers": 1, "preload": False, "timeout_s": 30, "keep_alive_s": 2},
    }
)
"""What gunicorn uses where an option is not given: for each class, all options that it reads."""

_MOST_WORKERS: Final = 512
# gunicorn keeps `worker_connections - threads` connections alive (gthread.py): with 1000 of them,
# its default, as many threads would silently turn keep-alive off.
_MOST_THREADS: Final = 999
_MOST_SECONDS: Final = 86_400
_RANGES: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "workers": (1, _MOST_WORKERS),
        "threads": (1, _MOST_THREADS),
        "timeout_s": (0, _MOST_SECONDS),
        "keep_alive_s": (0, _MOST_SECONDS),
    }
)

_IGNORED_BECAUSE: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("sync", "threads"): (
            "more than one thread silently turns it into gthread:"
            ' leave threads out, or set worker_class = "gthread"'
        ),
        ("sync", "keep_alive_s"): (
            "it closes the connection after each response:"
            ' leave keep_alive_s out, or set worker_class = "gthread" or "gevent"'
        ),
        ("gevent", "threads"): (
            "it runs greenlets on one thread and ignores the number:"
            ' leave threads out, or set worker_class = "gthread"'
        ),
    }
)

_CONFIGURATION: Final = Path(__file__).with_name("gunicorn_conf.py")
_WORKER_TMP: Final = Path("/dev/shm")  # noqa: S108
_LOG_LINE: Final = re.compile(r"^\[[^]]+\] \[\d+\] \[INFO\] Using worker: (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Options:
    """Options of one gunicorn; None is "not given".

    Attributes:
        worker_class: "sync", "gthread" or "gevent".
        workers: worker processes.
        preload: whether the app is imported once, before the workers are forked: they share its pages
            until one of them writes to them.
        threads: threads of each worker (gthread only).
        timeout_s: a worker that gives no sign of life for so many seconds is killed; 0 never. A
            sync worker gives none during a response: it bounds the longest stream.
        keep_alive_s: an idle connection is closed after so many seconds; 0 closes it after each
            response (gthread and gevent only).

    Raises:
        OptionError: names every option that is out of range, or that the class would ignore.
    """

    worker_class: str = "sync"
    workers: int | None = None
    preload: bool | None = None
    threads: int | None = None
    timeout_s: int | None = None
    keep_alive_s: int | None = None

    def __post_init__(self) -> None:
        if self.worker_class not in tuple(DEFAULTS):  # a suite may give what has no hash
            raise OptionError(
                f"gunicorn worker_class {self.worker_class!r} is not known here:"
                f" allowed are {', '.join(DEFAULTS)}."
            )
        problems = [
            problem
            for option, value in _given(self).items()
            if (problem := _problem(self.worker_class, option, value))
        ]
        if problems:
            raise OptionError("\n".join(problems))


def read_options(given: Mapping[str, object]) -> Options:
    """Make `Options` of a suite's table, whose keys are their names.

    Raises:
        OptionError: names every option that is unknown, of a wrong type, out of range or ignored.
    """
    known = [field.name for field in fields(Options)]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise OptionError(
            f"gunicorn has no option {', '.join(unknown)} here: allowed are {', '.join(known)}."
        )
    return Options(**given)  # type: ignore[arg-type]  # __post_init__ checks the types


def in_force(options: Options) -> dict[str, str | int]:
    """Return the class and every option that it reads, with gunicorn's defaults filled in."""
    return {
        "worker_class": options.worker_class,
        **DEFAULTS[options.worker_class],
        **_given(options),
    }


def arguments(options: Options, *, app: str, host: str, port: int, python: str) -> list[str]:
    """Return the command that serves `app` (as a suite names it) on `host` and `port` with `python`.

    Every option in force is written out, so that no environment variable can change it (but for
    `preload`, which can only be turned on: VARIABLES_TO_CLEAR sees to that). The log goes to
    stderr, requests are not logged.
    """
    force = in_force(options)
    command = [
        *(python, "-P", "-m", "gunicorn"),
        *("--config", str(_CONFIGURATION)),
        *("--bind", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"),
        *("--worker-class", options.worker_class),
        *("--workers", str(force["workers"])),
        # Given to every class: a stray setting of 2 would turn sync into gthread.
        *("--threads", str(force.get("threads", 1))),
        *("--timeout", str(force["timeout_s"])),
        *("--log-level", "info"),
        *("--log-file", "-"),
    ]
    if force["preload"]:
        command.append("--preload")
    if "keep_alive_s" in force:
        command += ["--keep-alive", str(force["keep_alive_s"])]
    if _WORKER_TMP.is_dir():
        # On a disk the heartbeat of the workers can wait for other writers, and they are killed.
        command += ["--worker-tmp-dir", str(_WORKER_TMP)]
    return [*command, app]


def worker_class_that_ran(server_output: str) -> str | None:
    """Return the worker class of gunicorn's own log line in `server_output`, None without one."""
    line = _LOG_LINE.search(server_output)
    return line[1] if line else None


def _given(options: Options) -> dict[str, int]:
    names = [field.name for field in fields(Options) if field.name != "worker_class"]
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def _problem(worker_class: str, option: str, value: object) -> str | None:
    if option not in DEFAULTS[worker_class]:
        return (
            f"gunicorn worker_class {worker_class!r} has no use for {option} = {value!r}:"
            f" {_IGNORED_BECAUSE[worker_class, option]}."
        )
    if option == "preload":
        return None if type(value) is bool else f"gunicorn preload is {value!r}: allowed are true and false."
    least, most = _RANGES[option]
    if type(value) is int and least <= value <= most:
        return None
    return f"gunicorn {option} is {value!r}: allowed is a whole number from {least} to {most}."
