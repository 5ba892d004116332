"""``streamgauge run``: measure a suite."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.alone import measuring_alone
from harness.cli.crew import CrewWords, crew_of
from harness.cli.manner import manner_of
from harness.cli.report import report_beside
from harness.cli.session import (
    Asked,
    begun,
    check_fits,
    draft,
    measured,
    refuse_words_beside_resume,
    resumed,
    shared_options,
)
from harness.cli.web import is_marked, web_port_of
from harness.onward import onward_of_run
from harness.suites.gates import gates_of


@click.command("run")
@click.argument("suite", default="quick")
@shared_options
@click.option("--web", is_flag=True, help="Show the load in Locust's web UI meanwhile; costs CPU.")
@click.option("--web-port", type=click.IntRange(1, 65535), help="The same, on this port of 127.0.0.1.")
@click.option("--allow-remote", is_flag=True, help="Ask a server on another machine too: your own.")
@click.pass_context
def command(
    ctx: click.Context,
    suite: str,
    blocks: int | None,
    seed: int | None,
    only: str | None,
    until: str | None,
    budget: float | None,
    output: Path | None,
    resume: str | None,
    force: bool,
    processes: int | None,
    listen: str | None,
    expect_workers: int | None,
    enough_workers: int | None,
    token_file: Path | None,
    quiet: bool,
    as_json: bool,
    no_report: bool,
    web: bool,
    web_port: int | None,
    allow_remote: bool,
) -> int:
    """Measure SUITE: a built-in name (default: quick) or the path of a TOML file."""
    manner = manner_of(quiet=quiet, as_json=as_json)
    crew_words = CrewWords(processes, listen, expect_workers, enough_workers, token_file)
    web_port = web_port_of(web=web, port=web_port)
    with measuring_alone(force=force) as beside:
        if resume is None:
            words = Asked(suite, blocks, seed, only, until, budget, output)
            crew = crew_of(crew_words, tells=not quiet)
            wanted = draft(words).placed(crew, allow_remote=allow_remote)
            # refused now, and not after an hour
            gates, not_judged = gates_of(wanted.suite, wanted.cases, wanted.blocks, wanted.terms)
            check_fits(wanted, len(gates))
            session = begun(wanted, words, web=web_port is not None, crew=crew)
        else:
            refuse_words_beside_resume(ctx)
            session = resumed(
                resume,
                "run",
                crew_words,
                tells=not quiet,
                web=web_port is not None,
                allow_remote=allow_remote,
            )
            plan = session.plan
            gates, not_judged = gates_of(session.suite, plan.cases, plan.blocks, session.terms)
        with session.store as store:
            web_port = web_port_of(web=is_marked(store.read().header), port=web_port)
            onward = onward_of_run(session.plan, gates)
            measured(session, onward, "run", manner.console, beside, web_port)
            code = manner.end(store.read(), gates, not_judged, store.path)
            if not no_report:
                report_beside(store, manner.console)
            return code
