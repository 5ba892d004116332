"""What was told to `init` of a suite, by words and answers, and the outline that it makes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.suites.outline import Outline, ServerChoice
from harness.suites.values import placeholders
from results.errors import UsageError

_SERVERS = (ServerChoice("gunicorn", {"worker_class": "sync"}),)
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Told:
    """What is known so far; paths are as they were typed, from the current folder.

    ``app``, ``command`` or ``url`` says what serves the response. ``servers`` and ``users`` are empty where
    nothing was said.
    """

    app: str | None = None
    command: str | None = None
    url: str | None = None
    pid: int | None = None
    directory: Path | None = None
    python: Path | None = None
    prepare: Sequence[str] = ()
    stream: str | None = None
    baseline: str | None = None
    axes: Mapping[str, Sequence[str | int]] = field(default_factory=dict)
    ready: str | None = None
    method: str | None = None
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    servers: Sequence[ServerChoice] = ()
    users: Sequence[int] = ()
    name: str | None = None

    @property
    def served(self) -> str | None:
        """What serves the response."""
        return self.app or self.command or self.url


def check(told: Told) -> None:
    """Raises UsageError with everything that cannot be so, whatever else is still to be told."""
    given = [name for name in ("app", "command", "url") if getattr(told, name) is not None]
    problems = []
    if len(given) > 1:
        problems.append(f"{' and '.join(f'--{name}' for name in given)} each say what is measured; give one")
    elif given:
        problems += _without_use(told, given[0])
    if told.directory is not None and not told.directory.is_dir():
        problems.append(f"--directory: {told.directory} is not a folder")
    named = set(placeholders(told.stream)) if told.stream is not None else None
    if named is not None:
        problems += [
            f"--axis {name}: {{{name}}} is not in the path of the stream ({told.stream})"
            for name in told.axes
            if name not in named
        ]
        problems += [
            f"--baseline names {{{name}}} and --stream does not: no stream could be matched with it"
            for name in placeholders(told.baseline)
            if name not in named
        ]
    if problems:
        raise UsageError("\n".join(problems))


def _without_use(told: Told, kind: str) -> list[str]:
    """Words that what serves the response has no use for."""
    asked = {
        "pid": told.pid is not None,
        "directory": told.directory is not None,
        "python": told.python is not None,
        "prepare": bool(told.prepare),
        "environment": bool(told.environment),
        "server": bool(told.servers),
        "baseline join": (told.baseline or "").startswith("join"),
    }
    useful = {
        "app": asked.keys() - {"pid"},
        "command": {"directory", "prepare", "environment"},
        "url": {"pid"},
    }[kind]
    return [
        f"--{name} has no use beside --{kind}"
        for name, given in asked.items()
        if given and name not in useful
    ]


def outline_of(told: Told, file: Path) -> Outline:
    """The suite that the file will hold, whose paths are relative to it. Needs all that a suite needs."""
    assert told.stream is not None  # noqa: S101  - asked for before
    assert told.baseline is not None  # noqa: S101
    assert told.served is not None  # noqa: S101
    kind = "app" if told.app else "command" if told.command else "url"
    folder = file.resolve().parent
    directory = None if kind == "url" else os.path.relpath((told.directory or Path()).resolve(), folder)
    return Outline(
        name=_name(file.stem, "suite"),
        target=told.name or _name_of_path(told.stream),
        kind=kind,
        served=told.served,
        stream=told.stream,
        baseline=told.baseline,
        axes={name: told.axes[name] for name in dict.fromkeys(placeholders(told.stream))},
        users=told.users or (1,),
        servers=told.servers or _SERVERS,
        pid=told.pid,
        directory=directory,
        python=None if told.python is None else _python(told.python, folder),
        prepare=told.prepare,
        ready=told.ready or "/",
        method=told.method or "GET",
        body=told.body,
        headers=told.headers,
        environment=told.environment,
    )


def _python(python: Path, folder: Path) -> str:
    """The interpreter as seen from the folder; one that lies far from it keeps its own path."""
    # not resolved: a link in an environment, or the environment itself, is what makes it one
    absolute = python.absolute()
    relative = os.path.relpath(absolute, folder)
    far = python.is_absolute() and relative.startswith("..")
    # a link on the way up may lead elsewhere
    led_astray = absolute.exists() and not Path(os.path.normpath(folder / relative)).exists()
    return str(absolute) if far or led_astray else relative


def _name_of_path(path: str) -> str:
    """The last part of a path that says something: /orders.csv?rows={rows} is orders.csv."""
    parts = [part for part in path.partition("?")[0].split("/") if re.search(r"[A-Za-z]", part)]
    plain = [part for part in parts if "{" not in part]
    return _name((plain or parts or ["page"])[-1], "page")


def _name(text: str, otherwise: str) -> str:
    """The text as a suite's names may be."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-")[:_LONGEST_NAME] or otherwise
