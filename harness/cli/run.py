"""``streamgauge run``: measure a suite."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.outcome import show_outcome
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
from harness.gates import gates_of
from harness.onward import onward_of_run


@click.command("run")
@click.argument("suite", default="quick")
@shared_options
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
) -> int:
    """Measure SUITE: a built-in name (default: quick) or the path of a TOML file."""
    if resume is None:
        words = Asked(suite, blocks, seed, only, until, budget, output)
        wanted = draft(words)
        # refused now, and not after an hour
        gates, not_judged = gates_of(wanted.suite, wanted.cases, wanted.blocks, wanted.terms)
        check_fits(wanted, len(gates))
        session = begun(wanted, words)
    else:
        refuse_words_beside_resume(ctx)
        session = resumed(resume, "run")
        plan = session.plan
        gates, not_judged = gates_of(session.suite, plan.cases, plan.blocks, session.terms)
    with session.store as store:
        measured(session, onward_of_run(session.plan, gates), "run")
        return show_outcome(store.read(), gates, not_judged, store.path)
