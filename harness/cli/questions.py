"""What `init` asks for where it was not said: a sentence, a default where one can be found, an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from harness.cli.checked import AxisValues, Checked, StreamPath
from harness.cli.prose import say
from harness.cli.told import Told
from harness.discovery import Found, found_in
from harness.suites.values import App, Baseline, CommandLine, Path_, Url, placeholders
from results.errors import UsageError

STREAM = StreamPath()
BASELINE = Checked[str]("path", Baseline)
READY = Checked[str]("path", Path_)
APP = Checked[str]("app", App)
COMMAND = Checked[str]("command", CommandLine)
URL = Checked[str]("url", Url)
_USUAL_VALUES = "20,100,500"
_MOST_ROUTES = 8
#: Paths at which apps tell that they are up.
_HEALTH = re.compile(r"/(?:_?_?health\w*|healthz|ping|status|livez|readyz|up)(?:/.*)?", re.IGNORECASE)


def missing(told: Told) -> list[str]:
    """The options that a suite needs and that were not given."""
    needed = [] if told.served else ["--app (or --command, or --url)"]
    needed += [] if told.stream else ["--stream"]
    needed += [f"--axis {name}=..." for name in placeholders(told.stream) if name not in told.axes]
    return needed + ([] if told.baseline else ["--baseline"])


def refusal(told: Told) -> UsageError:
    """What is missing, for who cannot be asked."""
    found = found_in(told.directory or Path.cwd()).apps
    hint = f" In the directory there seems to be {found[0].name}." if found and not told.served else ""
    return UsageError(
        f"a suite needs {', '.join(missing(told))}, and without a terminal nobody can be asked for it.{hint} "
        "`init --help` says what each is"
    )


def complete(told: Told) -> Told:
    """What was told with what is asked for; what is there already is not asked for again."""
    say("A few questions, and then one request each way. Enter takes what stands in [brackets].")
    if told.directory is None and told.url is None:
        told = replace(told, directory=_directory(told))
    found = found_in(told.directory or Path.cwd())
    if not told.served:
        told = _served(told, found)
    if told.app and told.python is None and found.python is not None:
        told = _python(told, found.python)
    if not told.stream:
        told = replace(told, stream=_stream(found))
    for name in placeholders(told.stream):
        if name not in told.axes:
            told = replace(told, axes={**told.axes, name: _values(name)})
    if not told.baseline:
        told = replace(told, baseline=_baseline(told))
    if told.ready is None:
        told = replace(told, ready=_ready(found))
    return told


def _ask(question: str, kind: click.ParamType[Any], default: str | None = None) -> Any:
    return click.prompt(click.style(question, bold=True), type=kind, default=default)


def _explain(text: str) -> None:
    click.echo()
    say(text)


def _directory(told: Told) -> Path:
    what = "command is run" if told.command else "app is imported from"
    _explain(f"The folder that the {what}, as seen from here.")
    kind = click.Path(exists=True, file_okay=False, path_type=Path)
    folder: Path = _ask("Directory", kind, ".")
    return folder


class _Served(click.ParamType[Told]):
    """An app, a command or a url: its form tells which."""

    name = "text"

    def __init__(self, told: Told) -> None:
        self._told = told

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Told:
        """What was told, with it."""
        text = str(value).strip()
        if "://" in text:
            return replace(self._told, url=URL.convert(text, param, ctx), directory=None)
        if " " in text or "{" in text:
            return replace(self._told, command=COMMAND.convert(text, param, ctx))
        return replace(self._told, app=APP.convert(text, param, ctx))


def _served(told: Told, found: Found) -> Told:
    default = None
    _explain(
        'What is measured: a WSGI app as module:name, like "shop.wsgi:app", or "shop:create_app()" where a '
        "function makes it; for anything else the command "
        'that serves it, like "uvicorn --host {host} --port {port} shop:app"; or the url of a server that '
        'runs already, like "http://127.0.0.1:8000".'
    )
    if found.apps:
        first = found.apps[0]
        default = first.name if first.is_wsgi else _by_uvicorn(first.name)
        say(f"Found there: {', '.join(app.name for app in found.apps[:_MOST_ROUTES])}.")
    answer: Told = _ask("App, command or url", _Served(told), default)
    return answer


def _by_uvicorn(name: str) -> str:
    factory = " --factory" if name.endswith("()") else ""
    return f"uvicorn --host {{host}} --port {{port}} --no-access-log{factory} {name.removesuffix('()')}"


def _python(told: Told, python: Path) -> Told:
    _explain(
        f"There is an environment: {python}. Its interpreter can run the app's server, if that (gunicorn, "
        "unless you name another) is installed there. Else the app runs in streamgauge's own environment."
    )
    wanted = click.confirm(click.style("Use it", bold=True), default=True)
    return replace(told, python=python) if wanted else told


def _stream(found: Found) -> str:
    _explain(
        "The path of the streamed response. What you want to vary is a name in braces, like "
        '"/orders.csv?rows={rows}": how many rows go into a chunk.'
    )
    routes = list(dict.fromkeys(route for app in found.apps for route in app.routes))
    if routes:
        more = ", ..." if len(routes) > _MOST_ROUTES else ""
        say(f"Paths found in the app: {', '.join(routes[:_MOST_ROUTES])}{more}.")
    path: str = _ask("Stream", STREAM)
    return path


def _values(name: str) -> Sequence[str | int]:
    _explain(f"The values of {{{name}}}, with commas between them; each is measured.")
    values: Sequence[str | int] = _ask(f"Values of {name}", AxisValues(), _USUAL_VALUES)
    return values


def _baseline(told: Told) -> str:
    what = "The path of the same response, built whole before it is sent: what the stream is compared with."
    join = ' Where the app has none, "join": its stream is collected before it is sent.'
    _explain(what + join if told.app else what)
    path: str = _ask("Baseline", BASELINE, "join") if told.app else _ask("Baseline", STREAM)
    return path


def _ready(found: Found) -> str:
    routes: Sequence[str] = [route for app in found.apps for route in app.routes]
    _explain("A path with a small response: the server is up when it answers.")
    health = next((route for route in routes if _HEALTH.fullmatch(route)), "/")
    path: str = _ask("Ready", READY, health)
    return path
