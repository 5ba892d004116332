"""``streamgauge doctor``: does this response stream, and if not, which layer holds it back?"""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from pydantic import ValidationError
from rich.table import Table
from rich.text import Text

from analysis.doctor.delivery import Delivery
from analysis.doctor.findings import Diagnosis, Kind, Layer
from analysis.exports.printable import printable
from harness.cli.alone import telling_of_others
from harness.cli.checked import HEADER, Checked, Duration
from harness.cli.hushed import hushed
from harness.cli.prose import say
from harness.cli.remote import warn_of_requests
from harness.cli.tables import print_rows
from harness.doctor.arriving import MOST_REQUESTS, examine_url
from harness.doctor.examine import examine
from harness.doctor.subject import Subject, as_browsers_ask, tools
from harness.redaction import Redaction
from harness.servers.remote import endpoint_allowed
from harness.servers.words import kind_and_options
from harness.suites.matrix import cases_of
from harness.suites.suite import Suite
from harness.suites.values import Method
from results.errors import ExitCode, UsageError
from scenarios.listener import Question


@click.command("doctor")
@click.argument("what", metavar="URL_OR_APP")
@click.argument("path", required=False)
@click.option("--server", metavar="KIND[/CLASS][/OPTION=VALUE]", help="What serves the app: gunicorn.")
@click.option("--proxy", metavar="KIND[/OPTION=VALUE]", help="A proxy in front, like nginx.")
@click.option("--command", "own_server", metavar="COMMAND", help="A server of your own: {bind} and {app}.")
@click.option("--proxy-command", metavar="COMMAND", help="A proxy of your own: {bind} and {upstream}.")
@click.option("--directory", type=click.Path(file_okay=False, path_type=Path), help="Where the app is.")
@click.option("--python", type=click.Path(path_type=Path), help="The interpreter that runs the app.")
@click.option("--ready", default="/", show_default=True, help="A path with a small response, for the start.")
@click.option(
    "--method", type=Checked[str]("METHOD", Method), default="GET", help="How it is asked, if not by GET."
)
@click.option("--header", "headers", type=HEADER, multiple=True, help="A header of the request; repeatable.")
@click.option("--body", help="The request's body.")
@click.option("--row-marker", help="What ends a row, where the content type does not tell.")
@click.option("--longest", type=Duration(), default="10s", show_default=True, help="Leave a stream after.")
@click.option("--strict", is_flag=True, help="Exit with 4 where it cannot be told.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.option("--allow-remote", is_flag=True, help="Ask a server on another machine too: your own.")
def command(what: str, path: str | None, longest: float, strict: bool, as_json: bool, **given: Any) -> int:
    """Say whether a response streams, and if not, which layer holds it back.

    Given a URL, it is asked a few times, and judged by how it arrives. Given an app (module:name, or
    module:name() of what makes it) and a PATH, the app is looked at from inside, and probes go through its
    middleware, its server and its proxy.

    The exit code is 0 where it streams, and 1 where it is held back or cut off; where that cannot be told
    it is 0, with --strict 4.
    """
    with telling_of_others():
        if "://" in what:
            redaction = Redaction.of_request(what, given["headers"], given["body"])
            with hushed(redaction):
                found = _of_url(what, path, longest, given)
        else:
            subject = _subject(what, path, longest, given)
            redaction = Redaction.of_targets([subject.planned.target])
            with hushed(redaction), tools() as shop:
                found = examine(
                    f"{what} {path}", subject, shop, lambda text: click.echo(f"{text} ...", err=True)
                )
    found = redaction.value(found)
    if as_json:
        click.echo(json.dumps(_document(found), indent=2))
    else:
        _print(found)
    if found.delivery.is_held:
        return ExitCode.WORSE
    return ExitCode.UNDECIDED if strict and found.delivery is Delivery.CANNOT_TELL else ExitCode.GOOD


def _of_url(url: str, path: str | None, longest: float, given: dict[str, Any]) -> Diagnosis:
    for_apps = {
        "server": "--server",
        "directory": "--directory",
        "python": "--python",
        "proxy": "--proxy",
        "own_server": "--command",
        "proxy_command": "--proxy-command",
    }
    wrong = [option for name, option in for_apps.items() if given[name] is not None]
    if wrong or path is not None:
        raise UsageError(f"{', '.join(wrong) or 'PATH'} is for an app; a URL is asked as it is")
    _check_url(url)
    endpoint = endpoint_allowed(url, allow_remote=given["allow_remote"])
    if endpoint.is_remote:
        warn_of_requests(str(endpoint), MOST_REQUESTS)
    headers = as_browsers_ask(tuple(given["headers"]))
    question = Question(
        url, given["method"], headers, given["body"], given["row_marker"], longest, endpoint.addresses
    )
    return examine_url(url, question)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        told = "" if parts.hostname else "it names no host"
        told = told if parts.port is None or parts.port else "its port is 0"
        (parts.hostname or "").encode("idna")
    except ValueError as error:  # UnicodeError is one
        told = str(error)
    else:
        told = told or ("" if parts.scheme in {"http", "https"} else "write http:// or https://")
    if told:
        raise UsageError(f"{url} is no URL that can be asked: {told}")


def _subject(app: str, path: str | None, longest: float, given: dict[str, Any]) -> Subject:
    """What the words name. Raises UsageError."""
    if re.match(r"[\w.-]+:\d+(?:/|$)", app):
        raise UsageError(f"{app} is no app; a URL begins with http://, like http://{app}")
    if path is None:
        raise UsageError(f'name the path of the response too, like: doctor {app} "/orders.csv?rows=500"')
    own = given["own_server"]
    if own is not None and "{app}" not in own:
        raise UsageError(
            '--command has to say where the app goes ({app}), so that a probe can take its place: "my-server '
            '--bind {bind} {app}". For a server that runs already, give its URL'
        )
    if given["proxy"] is not None and given["proxy_command"] is not None:
        raise UsageError("give --proxy or --proxy-command, not both")
    target: dict[str, Any] = {
        "name": "response",
        "app": app,
        "directory": str(given["directory"] or "."),
        "stream": path.replace("{", "%7B").replace("}", "%7D"),
        "baseline": "join",
        "ready": given["ready"],
        "method": given["method"],
        "headers": dict(given["headers"]),
    }
    for key in ("body", "row_marker"):
        if given[key] is not None:
            target[key] = given[key]
    if given["python"] is not None:
        target["python"] = str(given["python"])
    suite = {
        "name": "doctor",
        "target": [target],
        "server": [_kind(given["server"] or "gunicorn")],
        "scenario": [{"kind": "download"}],
    }
    if given["proxy"] is not None:
        suite["proxy"] = [_kind(given["proxy"])]
    try:
        checked = Suite.model_validate(suite, context={"folder": Path.cwd()})
    except ValidationError as error:
        raise UsageError("\n".join(_mistake(item) for item in error.errors())) from error
    planned = next(item for item in cases_of(checked) if not item.case.is_baseline)
    return Subject(planned, own, given["proxy_command"], longest)


def _mistake(item: Any) -> str:
    where = [str(part) for part in item["loc"] if not isinstance(part, int)]
    given = "" if isinstance(item["input"], dict) else f" {item['input']!r}"
    return f"{' '.join(where[1:] or where)}{given}: {item['msg'].removeprefix('Value error, ')}"


def _kind(word: str) -> dict[str, Any]:
    """``gunicorn/gthread/threads=4`` as the table of a suite."""
    kind, options = kind_and_options(word)
    return {"kind": kind, **options}


def _document(found: Diagnosis) -> dict[str, Any]:
    return {
        "format": "streamgauge.diagnosis.v1",
        "subject": found.subject,
        "delivery": found.delivery,
        "held_by": [layer.name for layer in found.holders],
        "layers": [dataclasses.asdict(layer) for layer in found.layers],
        "signs": list(found.signs),
    }


def _print(found: Diagnosis) -> None:
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("layer", "name", "what it does", "seen"):
        table.add_column(heading, overflow="fold")
    for layer in found.layers:
        cells = (layer.kind, printable(layer.name), layer.delivery, printable(layer.seen))
        table.add_row(*map(Text, cells))
    print_rows(table)
    click.echo()
    say(_answer(found))
    for layer in found.holders:
        where = f" ({_shown(layer.place)})" if layer.place else ""
        if layer.kind is not Kind.WHOLE:
            say(f"- {_label(layer)}{where}:")
        for remedy in layer.remedies:
            say(f"{printable(remedy, 1000)}", indent="    " if layer.kind is not Kind.WHOLE else "- ")
    for sign in found.signs:
        say(printable(sign, 1000), indent="  ")


def _shown(place: str) -> str:
    """A place as somebody who stands here names it."""
    here = f"{Path.cwd()}/"
    return place.removeprefix(here)


def _label(layer: Layer) -> str:
    """What a layer is called in a sentence."""
    name = printable(layer.name)
    return name if layer.kind is Kind.APP else f"the {layer.kind} {name}"


def _answer(found: Diagnosis) -> str:
    match found.delivery:
        case Delivery.STREAMS:
            return f"{printable(found.subject)} streams."
        case Delivery.CANNOT_TELL:
            return f"{printable(found.subject)}: cannot tell. Ask for more of it, or wait longer (--longest)."
    named = [layer for layer in found.holders if layer.kind is not Kind.WHOLE]
    by = f" by {' and by '.join(map(_label, named))}" if named else ""
    if named:
        unknown = ""
    elif len(found.layers) > 1:
        unknown = " Each layer passes a probe on, and yet the response is late: ask for a longer one."
    else:
        unknown = " Which layer does so cannot be seen from outside: give the app."
    return f"{printable(found.subject)} is {found.delivery}{by}.{unknown}"
