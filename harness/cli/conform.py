"""``streamgauge conform``: how each server treats streams."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from analysis.conformance.markdown import markdown
from analysis.conformance.sheets import BROKEN_MARK, breaches, conditions, sheets
from harness.cli.alone import telling_of_others
from harness.cli.files import check_writable, write_files
from harness.cli.prose import say
from harness.cli.sheets import print_sheet
from harness.conformance.chosen import installed, named
from harness.conformance.examine import examine
from harness.servers.installing import installing
from results.conformance.document import to_document
from results.conformance.findings import Conformance
from results.conformance.questions import Check
from results.errors import ExitCode, UsageError


@click.command("conform")
@click.argument("servers", nargs=-1, metavar="[SERVER]...")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([check.value for check in Check]),
    help="Only this check; repeatable.",
)
@click.option("--strict", is_flag=True, help="Exit code 1 when a server breaks a rule.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print it as Markdown.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the JSON or Markdown into this file.",
)
def command(
    servers: tuple[str, ...],
    only: tuple[str, ...],
    strict: bool,
    as_json: bool,
    as_markdown: bool,
    output: Path | None,
) -> int:
    """Ask servers how they treat streams: each is started, and asked by a client that sees every byte.

    SERVER is a kind from `streamgauge list`, gunicorn with a class (gunicorn/gthread), or either with options
    as in a suite (waitress/send_bytes=18000). Without one, all that are installed are asked, about 20 s each.

    Exit codes: 0 all was measured, whatever came of it; 1 a rule is broken (--strict); 2 no such server or
    option; 3 something could not be measured, or a server that was named is not installed.
    """
    if as_json and as_markdown:
        raise UsageError("--json and --markdown are two forms; ask for one of them")
    if output is not None and not (as_json or as_markdown):
        raise UsageError("--output needs the form to write: --json or --markdown")
    checks = [check for check in Check if not only or check in only]
    if servers and checks == [Check.FLASK]:
        raise UsageError(
            f"--only {Check.FLASK} asks no server: leave out {' '.join(servers)}, or add another --only"
        )
    chosen, missing = (named(servers), []) if servers else installed()
    if output is not None:
        check_writable(output)
    for item in missing:
        say(f"{item.kind} is not installed: {installing(item.distribution)}", err=True)
    with telling_of_others():
        found = examine(chosen, missing, checks, _Progress(len(chosen)))
    if as_json or as_markdown:
        text = markdown(found) if as_markdown else json.dumps(to_document(found), indent=1) + "\n"
        _write(text, output)
    else:
        _print(found)
    if any(server.failures for server in found.servers):
        return ExitCode.INVALID
    return ExitCode.WORSE if strict and breaches(found.servers) else ExitCode.GOOD


class _Progress:
    """A line on standard error for each server, a word for each check as it begins."""

    def __init__(self, servers: int) -> None:
        self._servers = servers
        self._seen: list[str] = []

    def examining(self, label: str, check: Check) -> None:
        """Tell that a check begins."""
        if label not in self._seen:
            self._seen.append(label)
            click.echo(f"{len(self._seen)} of {self._servers}: {label}:", err=True, nl=False)
        click.echo(f" {check}", err=True, nl=False)

    def examined(self) -> None:
        """End the server's line."""
        click.echo(err=True)

    def failed(self, label: str, check: Check, reason: str) -> None:
        """Tell what could not be told."""
        click.echo(f"\n{label}, {check}: could not be told: {reason}", err=True)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    write_files({output: text})
    click.echo(f"Written to {output}", err=True)


def _print(found: Conformance) -> None:
    for made in sheets(found):
        click.echo(f"\n{made.title}")
        if made.note:
            say(made.note)
        print_sheet(made)
    if broken := breaches(found.servers):
        click.echo("\nRules that are broken")
        for item in broken:
            say(f"{BROKEN_MARK} {item.sentence}")
    _print_failures(found)
    click.echo()
    say(conditions(found))


def _print_failures(found: Conformance) -> None:
    failures: Sequence[tuple[str, Check, str]] = [
        (server.label, check, reason) for server in found.servers for check, reason in server.failures.items()
    ]
    if failures:
        click.echo("\nWhat could not be told (?)")
    for label, check, reason in failures:
        say(f"{label}, {check}: {reason.splitlines()[0]}")
