"""``streamgauge init``: write a suite for an app, and ask it once each way."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console

from harness.advice import advice, lines_of, server_line, slowest_s, window_s
from harness.cli.alone import telling_of_others
from harness.cli.checked import HEADER, VARIABLE, Axis, Checked, Counts, Server
from harness.cli.hushed import hushed
from harness.cli.progress import told_preparing
from harness.cli.prose import say
from harness.cli.questions import APP, BASELINE, COMMAND, READY, STREAM, URL, complete, missing, refusal
from harness.cli.rehearsed import failure, print_advice, print_answers, remedied
from harness.cli.remote import warn_of_load
from harness.cli.told import Told, check, outline_of
from harness.cli.typed import typed
from harness.discovery import found_in
from harness.programs.cores import split_cores
from harness.redaction import Redaction
from harness.rehearsal import NotServed, Rehearsed, rehearse
from harness.rows import load_rows
from harness.servers.remote import endpoint_allowed, placed
from harness.stopping import duration
from harness.suites.file import load_suite, parse_suite
from harness.suites.matrix import cases_of
from harness.suites.outline import Outline, ServerChoice, suite_text, toml_text
from harness.suites.plan import make_plan
from harness.suites.suite import Suite
from harness.suites.values import Method, Name
from harness.trials.workshop import workshop
from results.errors import MeasurementError, UsageError
from results.sides import Side

Value = TypeVar("Value")
_FILE = Path("streaming.toml")
#: Whoever starts a run that takes longer should know it.
_LONG_S = 1800


@click.command("init")
@click.argument("file", type=click.Path(path_type=Path), default=_FILE)
@click.option("--app", type=APP, help="A WSGI app as module:name; module:name() of what makes it.")
@click.option(
    "--command", "served_by", type=COMMAND, help="Or what starts a server on {bind}, {host}:{port}."
)
@click.option("--url", type=URL, help="Or a server that runs already.")
@click.option("--pid", type=click.IntRange(1), help="The process behind --url.")
@click.option("--directory", type=click.Path(path_type=Path), help="Where the app is imported from.")
@click.option("--python", type=click.Path(path_type=Path), help="The interpreter that runs its server.")
@click.option("--prepare", metavar="COMMAND", help="Run once in the directory before anything is measured.")
@click.option("--stream", type=STREAM, help='The streamed response, like "/orders.csv?rows={rows}".')
@click.option("--baseline", type=BASELINE, help='The same built whole; or "join", where the app has none.')
@click.option("--axis", type=Axis(), multiple=True, help="Values of a {name} in the path; repeatable.")
@click.option("--ready", type=READY, help="A path with a small response.")
@click.option("--method", type=Checked[str]("METHOD", Method), help="How it is asked, if not by GET.")
@click.option("--body", metavar="TEXT", help="Sent with each request.")
@click.option("--header", type=HEADER, multiple=True, help="Sent with each request; repeatable.")
@click.option("--environment", type=VARIABLE, multiple=True, help="A variable of the server; repeatable.")
@click.option("--server", type=Server(), multiple=True, help="On what an app is measured; repeatable.")
@click.option("--users", type=Counts(), help="How many ask at once, like 1,8.")
@click.option("--name", type=Checked[str]("NAME", Name), help="What tables call the response.")
@click.option("--force", is_flag=True, help="Write over a FILE that is there.")
@click.option("--no-check", is_flag=True, help="Start nothing; write the file only.")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; ask once what FILE says.")
@click.option("--allow-remote", is_flag=True, help="Ask a server on another machine too: your own.")
@click.pass_context
def command(
    ctx: click.Context,
    file: Path,
    app: str | None,
    served_by: str | None,
    url: str | None,
    pid: int | None,
    directory: Path | None,
    python: Path | None,
    prepare: str | None,
    stream: str | None,
    baseline: str | None,
    axis: Sequence[tuple[str, Sequence[str | int]]],
    ready: str | None,
    method: str | None,
    body: str | None,
    header: Sequence[tuple[str, str]],
    environment: Sequence[tuple[str, str]],
    server: Sequence[ServerChoice],
    users: Sequence[int] | None,
    name: str | None,
    force: bool,
    no_check: bool,
    only_check: bool,
    allow_remote: bool,
) -> None:
    """Write a commented suite to FILE (streaming.toml), and ask the app once each way.

    What is needed and not said is asked for on a terminal: --app (or --command, or --url), --stream, a --axis
    for each {name} in its path, and --baseline.
    """
    if only_check:
        _refuse_words_beside_check(ctx)
        _check_stored(file, allow_remote=allow_remote)
        return
    told = Told(
        app=app,
        command=served_by,
        url=url,
        pid=pid,
        directory=directory,
        python=python,
        prepare=_words(prepare),
        stream=stream,
        baseline=baseline,
        axes=_by_name("--axis", axis),
        ready=ready,
        method=method,
        body=body,
        headers=_by_name("--header", header),
        environment=_by_name("--environment", environment),
        servers=server,
        users=users or (),
        name=name,
    )
    check(told)
    _check_place(file, force=force)
    if missing(told):
        if not sys.stdin.isatty():
            raise refusal(told)
        told = complete(told)
        check(told)
    if told.url is not None and not no_check:
        endpoint_allowed(told.url, allow_remote=allow_remote)  # refused before anything is written
    outline = outline_of(told, file)
    suite = _written(outline, file, force=force)
    click.echo(f"\nWrote {file}.")
    if not no_check:
        rehearsed = _rehearsed(suite, file, allow_remote=allow_remote)
        suite = _with_fitting_window(outline, suite, file, rehearsed)
        print_advice(advice(rehearsed, suite), suite, str(file))
    _tell_what_next(suite, file)


def _by_name(option: str, pairs: Sequence[tuple[str, Value]]) -> dict[str, Value]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"{option} {twice} is there twice; give it once")
    return found


def _words(line: str | None) -> Sequence[str]:
    try:
        return shlex.split(line or "")
    except ValueError as error:
        raise UsageError(
            f"--prepare {line!r} is not a command line ({error}); quote it as for a shell"
        ) from error


def _refuse_words_beside_check(ctx: click.Context) -> None:
    given = [
        parameter.opts[0]
        for parameter in ctx.command.params
        if parameter.name not in {"file", "only_check", "allow_remote"}
        and ctx.get_parameter_source(str(parameter.name)) is not click.core.ParameterSource.DEFAULT
    ]
    if given:
        raise UsageError(f"--check asks what the file says, and writes nothing; leave out {', '.join(given)}")


def _check_place(file: Path, *, force: bool) -> None:
    """Raises UsageError where no suite can be written, before anything is asked."""
    if file.suffix != ".toml" or not str(file).isprintable():
        raise UsageError(f"{str(file)!r} is no name for a suite file; give it one like orders.toml")
    if file.exists() and not (force and file.is_file()):
        raise UsageError(
            f"{file} is there already; name another file, write over it with --force, or ask what it says "
            "with --check"
        )


def _written(outline: Outline, file: Path, *, force: bool) -> Suite:
    """The suite in the file. Raises UsageError, and has then written nothing."""
    text = suite_text(outline)
    folder = file.resolve().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        suite = parse_suite(text, str(file), folder)
        cases_of(suite)
        with file.open("w" if force else "x", encoding="utf-8", newline="\n") as opened:
            opened.write(text)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error}; name another place") from error
    return suite


def _check_stored(file: Path, *, allow_remote: bool) -> None:
    suite = load_suite(str(file))
    rehearsed = _rehearsed(suite, file, allow_remote=allow_remote)
    print_advice(advice(rehearsed, suite), suite, str(file))
    _tell_what_next(suite, file)


def _rehearsed(suite: Suite, file: Path, *, allow_remote: bool) -> Rehearsed:
    """What came of it, shown. Raises MeasurementError with the lines that decide what is wrong."""
    cases = placed(cases_of(suite), allow_remote=allow_remote)
    load_rows(cases, Console(stderr=True))
    warn_of_load(cases, "each response once, then up to a few seconds of one connection")
    click.echo("Asking each response once ...\n", err=True)
    redaction = Redaction.of_targets(suite.target)

    def tell(side: Side | None, command: Sequence[str]) -> None:
        click.echo(f"{told_preparing(side, redaction.value(command))}\n", err=True)

    with hushed(redaction):
        try:
            with telling_of_others(), workshop(split_cores()) as shop:
                rehearsed = rehearse(cases, shop, tell)
        except NotServed as error:
            raise _mistaken(suite, file, error) from error
        print_answers(rehearsed)
        if rehearsed.problems:
            click.echo(err=True)
            raise MeasurementError(f"{failure(rehearsed, suite, str(file))}\n{_what_is_kept(file)}")
    if all(target.check == "bytes" for target in suite.target):
        click.echo()
        say("Every streamed response is its whole form, byte for byte.")
    return rehearsed


def _mistaken(suite: Suite, file: Path, error: NotServed) -> MeasurementError:
    target = error.target
    lines = lines_of(suite.text, suite.target.index(target), error.keys)
    served = None if error.server is None else server_line(suite.text, error.server)
    told = remedied(str(error), [*lines, *([] if served is None else [served])], str(file))
    if target.app is not None and target.python is None and target.directory is not None:
        python = found_in(target.directory).python
        if python is not None:
            own = os.path.relpath(python, file.resolve().parent)
            told += (
                f"\nThere is an environment of the app's own: python = {toml_text(own)} would run it there"
            )
    return MeasurementError(f"{told}\n{_what_is_kept(file)}")


def _what_is_kept(file: Path) -> str:
    return f"{file} is kept: change it, and ask again with: {typed('init', str(file), '--check')}"


def _with_fitting_window(outline: Outline, suite: Suite, file: Path, rehearsed: Rehearsed) -> Suite:
    """The suite with a window that holds enough responses of the slowest kind, written again."""
    slowest = slowest_s(rehearsed)
    fitting = replace(outline, window_s=window_s(slowest), slowest_s=slowest)
    if file.read_text("utf-8") != suite.text:
        return suite  # somebody has begun to change it
    return _written(fitting, file, force=True)


def _tell_what_next(suite: Suite, file: Path) -> None:
    plan = make_plan(
        cases_of(suite),
        blocks=suite.blocks,
        seed=0,
        warmup_s=suite.warmup,
        window_s=suite.window,
        traced=suite.trace,
    )
    total_s = plan.expected_s + plan.tracing_s
    click.echo()
    say(
        f"{len(plan.cases)} cases in {suite.blocks} blocks, with windows of {suite.window:g} s: about "
        f"{duration(round(total_s))} for a run."
    )
    if total_s > _LONG_S:
        say(
            "That is long: fewer values, servers or users make it shorter, or a smaller response of the same "
            "kind. `run --budget 10m` measures what fits."
        )
    click.echo("\nNext:")
    click.echo(f"  {typed('plan', str(file))}")
    click.echo(f"  {typed('run', str(file))}")
