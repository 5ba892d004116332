"""``streamgauge plan``: what would be measured."""

from __future__ import annotations

from dataclasses import replace

import click

from analysis.gate import fewest_blocks
from analysis.summary import labels
from harness.cli.session import Asked, Duration, draft
from harness.gates import gates_of
from harness.stopping import check_budget, counted, duration, what_can_be_seen


@click.command("plan")
@click.argument("suite", default="quick")
@click.option("--blocks", type=click.IntRange(1, 1000), help="Plan so many blocks.")
@click.option("--seed", type=click.IntRange(0), default=0, help="The seed of the order.", show_default=True)
@click.option("--only", metavar="PATTERN", help="Only the cases with these values.")
@click.option("--budget", type=Duration(), help='Plan as many blocks as fit into a time, like "5m".')
def command(suite: str, blocks: int | None, seed: int, only: str | None, budget: float | None) -> None:
    """Show the cases, blocks, order and minutes of SUITE; start nothing."""
    asked = draft(Asked(suite, blocks, seed, only, None, budget, None))
    chosen = asked.suite
    gates, not_judged = gates_of(chosen, asked.cases, asked.blocks, asked.terms)
    plan = asked.plan(seed)
    if budget is not None:
        count = check_budget(budget, plan, fewest_blocks(len(gates)))
        plan = replace(plan, slots=plan.further(range(count), 0))
    count = plan.blocks
    names = labels([planned.case for planned in plan.cases])
    timed = [planned for planned in plan.cases if not planned.case.expect_failure]
    minutes, seconds = divmod(round(plan.expected_s + plan.tracing_s), 60)
    click.echo(
        f"{chosen.name}: {len(timed)} cases in {count} blocks, {len(plan.slots)} trials of "
        f"{plan.warmup_s:g} s warm-up and {plan.window_s:g} s window, then one traced trial a case; "
        f"about {minutes}:{seconds:02d} minutes"
    )
    click.echo("\nCases:")
    for planned in plan.cases:
        note = " (expected to fail: shown, never timed)" if planned.case.expect_failure else ""
        note = " (baseline: twice in each block)" if planned.case.is_baseline else note
        click.echo(
            f"  {names[planned.case.identity]}{note}\n      GET {planned.path}\n      {planned.case.identity}"
        )
    if budget is not None:
        click.echo(f"{duration(budget)} are about {counted(count)}. {what_can_be_seen(count)}")
    for name in [gate.name for gate in gates] + [
        f"{gate.name} (not judged: {gate.reason})" for gate in not_judged
    ]:
        click.echo(f"\nGate: {name}")
    click.echo(f"\nOrder with seed {seed}:")
    for block in range(count):
        order = [slot for slot in plan.slots if slot.block == block]
        click.echo(
            f"  block {block + 1}: "
            + " | ".join(names[slot.case] + (" (again)" if slot.control else "") for slot in order)
        )
