"""``streamgauge ab``: two git revisions of an app, measured in the same blocks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from analysis.ab.findings import find_ab
from harness.cli.alone import measuring_alone
from harness.cli.crew import CrewWords, crew_of
from harness.cli.manner import Manner, manner_of
from harness.cli.report import report_beside
from harness.cli.session import (
    Asked,
    Draft,
    begun,
    check_fits,
    draft,
    measured,
    refuse_words_beside_resume,
    resumed,
    shared_options,
)
from harness.onward import onward_of_ab
from harness.sides.revisions import sides_of, uncommitted
from harness.sides.sides import check_folders, repository_of_cases
from harness.suites.gates import margin_gates_of
from results.sides import SideRecord
from results.terms import FailOn


@click.command("ab")
@click.argument("suite", default="ci")
@click.option(
    "--base", metavar="REV", help="Against this revision (default: where head left the default branch)."
)
@click.option("--head", metavar="REV", help="Judge this revision (default: HEAD).")
@shared_options
@click.option(
    "--fail-on",
    type=click.Choice([item.value for item in FailOn]),
    default=FailOn.GATES.value,
    show_default=True,
    help="Fail on the suite's gates, or on any headline figure but the p95 that is worse.",
)
@click.pass_context
def command(
    ctx: click.Context,
    suite: str,
    base: str | None,
    head: str | None,
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
    fail_on: str,
) -> int:
    """Measure two git revisions of the app that SUITE names, base and head, in the same blocks."""
    manner = manner_of(quiet=quiet, as_json=as_json)
    crew = CrewWords(processes, listen, expect_workers, enough_workers, token_file)
    with measuring_alone(force=force) as beside:
        if resume is None:
            words = Asked(suite, blocks, seed, only, until, budget, output)
            wanted = draft(words, FailOn(fail_on))
            gates, not_judged = margin_gates_of(wanted.suite, wanted.cases, wanted.blocks, wanted.terms)
            sides = _sides(wanted, base, head, manner)
            check_fits(wanted, len(gates), sides)
            session = begun(wanted, words, sides, gates, crew=crew_of(crew, tells=not quiet))
        else:
            refuse_words_beside_resume(ctx)
            session = resumed(resume, "ab", crew, tells=not quiet)
            header = session.store.read().header
            _, not_judged = margin_gates_of(session.suite, session.plan.cases, header.blocks, session.terms)
        with session.store as store:
            measured(session, onward_of_ab(session.plan), "ab", manner.console, beside)
            code = manner.end_ab(find_ab(store.read(), not_judged), store.path)
            if not no_report:
                report_beside(store, manner.console)
            return code


def _sides(wanted: Draft, base: str | None, head: str | None, manner: Manner) -> Sequence[SideRecord]:
    repository = repository_of_cases(wanted.cases)
    sides = sides_of(repository, base, head)
    check_folders(wanted.cases, sides)
    for item in sides:
        told = f"{item.side}: {item.commit[:12]} ({item.revision})"
        manner.console.print(told, markup=False, highlight=False)
    if head is None and (changed := uncommitted(repository)):
        click.echo(
            f"{changed} uncommitted change{'s' if changed > 1 else ''} in {repository} "
            f"{'are' if changed > 1 else 'is'} not measured: head is the last commit",
            err=True,
        )
    return sides
