"""``streamgauge run``: measure a suite."""

from __future__ import annotations

import os
import secrets
import shlex
import signal
import sys
import uuid
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from types import FrameType

import click
from rich.console import Console

from harness.cli.live import new_watcher
from harness.cli.manner import manner_of
from harness.cli.places import find_run, new_store_path
from harness.cli.report import write_report
from harness.cli.web import announce, is_marked, marked, web_port_of
from harness.conduct import conduct
from harness.cores import split_cores
from harness.environment import differences, read_environment
from harness.gates import gates_of
from harness.matrix import cases_of
from harness.plan import Plan, make_plan
from harness.rows import load_rows
from harness.suite import Suite
from harness.suite_file import load_suite, parse_suite
from results.errors import Interrupted, MeasurementError, UsageError
from results.run import RunHeader
from results.store import Store


@click.command("run")
@click.argument("suite", default="quick")
@click.option("--blocks", type=click.IntRange(1, 1000), help="Measure so many blocks.")
@click.option("--seed", type=click.IntRange(0), help="Repeat the order of a run with this seed.")
@click.option("--only", metavar="PATTERN", help='Only the cases with these values, like "rows=500 gthread".')
@click.option("--output", type=click.Path(path_type=Path), help="Folder or .sqlite file for the run.")
@click.option("--resume", metavar="RUN", help="Go on with a run that was interrupted.")
@click.option("--quiet", is_flag=True, help="Say only what came of gates, and what is wrong.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON; progress to stderr.")
@click.option("--web", is_flag=True, help="Show the load in Locust's web UI meanwhile; costs CPU.")
@click.option("--web-port", type=click.IntRange(1, 65535), help="The same, on this port of 127.0.0.1.")
@click.option("--no-report", is_flag=True, help="Write no report beside the run.")
@click.pass_context
def command(
    ctx: click.Context,
    suite: str,
    blocks: int | None,
    seed: int | None,
    only: str | None,
    output: Path | None,
    resume: str | None,
    quiet: bool,
    as_json: bool,
    web: bool,
    web_port: int | None,
    no_report: bool,
) -> int:
    """Measure SUITE: a built-in name (default: quick) or the path of a TOML file."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    manner = manner_of(quiet=quiet, as_json=as_json)
    web_port = web_port_of(web=web, port=web_port)
    if resume is None:
        store, chosen, plan = _begin(suite, blocks, seed, only, output, web_port)
    else:
        given = [
            name
            for name in ("suite", "blocks", "seed", "only", "output")
            if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
        ]
        if given:
            raise UsageError(f"--resume goes on with the run as it was planned; leave out {', '.join(given)}")
        store, chosen, plan = _resume(resume, web_port)
    with store:
        stored = store.read()
        web_port = web_port_of(web=is_marked(stored.header), port=web_port)
        try:
            load_rows(plan.cases, manner.console)
            if web_port is not None:
                announce(web_port)
            with new_watcher(manner.console, plan, stored) as watcher:
                conduct(plan, store, watcher, split_cores(), web_port)
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted; {_what_is_kept(store, plan)}") from None
        except MeasurementError as error:
            raise MeasurementError(f"{error}\n{_what_is_kept(store, plan)}") from error
        code = manner.end(store.read(), *gates_of(chosen, plan.cases, plan.blocks), store.path)
        if not no_report:
            _write_report(store, manner.console)
        return code


def _write_report(store: Store, console: Console) -> None:
    """The report beside the run; one that cannot be written changes nothing of what the run says."""
    try:
        path = write_report(store, store.path.with_suffix(".html"))
    except UsageError as error:
        click.echo(f"no report: {error} (`streamgauge report`)", err=True)
    else:
        console.print(f"Report in {path}", markup=False, highlight=False, soft_wrap=True)


def _begin(
    name: str,
    blocks: int | None,
    seed: int | None,
    only: str | None,
    output: Path | None,
    web_port: int | None,
) -> tuple[Store, Suite, Plan]:
    suite = load_suite(name)
    plan = make_plan(
        cases_of(suite, only),
        blocks=blocks or suite.blocks,
        seed=seed if seed is not None else secrets.randbelow(2**31),
        warmup_s=suite.warmup,
        window_s=suite.window,
        traced=suite.trace,
    )
    gates_of(suite, plan.cases, blocks or suite.blocks)  # refused now, and not after an hour
    header = RunHeader(
        run_id=uuid.uuid4().hex,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        suite=suite.name,
        suite_toml=suite.text,
        seed=plan.seed,
        blocks=blocks or suite.blocks,
        warmup_s=plan.warmup_s,
        window_s=plan.window_s,
        version=metadata.version("streamgauge"),
        command=["streamgauge", *sys.argv[1:]],
        cases=[planned.case for planned in plan.cases],
        slots=plan.slots,
        environment=marked(read_environment(split_cores(), suite.folder), shown=web_port is not None),
    )
    return Store.create(new_store_path(suite.name, output), header), suite, plan


def _resume(name: str, web_port: int | None) -> tuple[Store, Suite, Plan]:
    path = find_run(name)
    store = Store.open(path, writable=True)
    header = store.read().header
    shown = web_port is not None or is_marked(header)
    unlike = differences(header.environment, marked(read_environment(split_cores(), None), shown=shown))
    if unlike:
        raise UsageError(
            f"{path} cannot go on here, its trials would not be alike: {'; '.join(unlike)}. "
            "Go on where it began, or measure anew"
        )
    folder = header.environment.get("suite_folder")
    suite = parse_suite(header.suite_toml, str(path), Path(folder) if folder else None)
    planned = {item.case.identity: item for item in cases_of(suite)}
    unknown = [case.identity for case in header.cases if case.identity not in planned]
    if unknown:
        raise UsageError(
            f"{path} was planned by another version of streamgauge, which knew the case {unknown[0]}; "
            "go on with that version, or measure anew"
        )
    plan = Plan(
        [planned[case.identity] for case in header.cases],
        header.slots,
        header.seed,
        header.warmup_s,
        header.window_s,
        suite.trace,
    )
    return store, suite, plan


def _what_is_kept(store: Store, plan: Plan) -> str:
    """Where the finished trials are, and how to go on; a store without any is removed."""
    done = len(store.done())
    if not done:
        store.path.unlink(missing_ok=True)
        return "no trial was finished, and nothing is kept"
    program = os.environ.get("STREAMGAUGE_COMMAND", "streamgauge")
    words = shlex.join([program, "run", "--resume", str(store.path)])
    return f"{done} of {len(plan.slots)} trials are kept in {store.path}.\nGo on with: {words}"


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
