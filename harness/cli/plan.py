"""``streamgauge plan``: what would be measured."""

from __future__ import annotations

import click

from analysis.summary import labels
from harness.gates import gates_of
from harness.matrix import cases_of
from harness.plan import make_plan
from harness.suite_file import load_suite


@click.command("plan")
@click.argument("suite", default="quick")
@click.option("--blocks", type=click.IntRange(1, 1000), help="Plan so many blocks.")
@click.option("--seed", type=click.IntRange(0), default=0, help="The seed of the order.", show_default=True)
@click.option("--only", metavar="PATTERN", help="Only the cases with these values.")
def command(suite: str, blocks: int | None, seed: int, only: str | None) -> None:
    """Show the cases, blocks, order and minutes of SUITE; start nothing."""
    chosen = load_suite(suite)
    count = blocks or chosen.blocks
    plan = make_plan(
        cases_of(chosen, only),
        blocks=count,
        seed=seed,
        warmup_s=chosen.warmup,
        window_s=chosen.window,
        traced=chosen.trace,
    )
    gates, left_out = gates_of(chosen, plan.cases, count)
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
    for name in [gate.name for gate in gates] + [
        f"{name} (not judged: left out by --only)" for name in left_out
    ]:
        click.echo(f"\nGate: {name}")
    click.echo(f"\nOrder with seed {seed}:")
    for block in range(count):
        order = [slot for slot in plan.slots if slot.block == block]
        click.echo(
            f"  block {block + 1}: "
            + " | ".join(names[slot.case] + (" (again)" if slot.control else "") for slot in order)
        )
