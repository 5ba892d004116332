"""``streamgauge plan``: what would be measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from analysis.summary import labels
from harness.gates import gates_of
from harness.matrix import cases_of
from harness.plan import Plan, make_plan
from harness.suite_file import load_suite


@click.command("plan")
@click.argument("suite", default="quick")
@click.option("--blocks", type=click.IntRange(1, 1000), help="Plan so many blocks.")
@click.option("--seed", type=click.IntRange(0), default=0, help="The seed of the order.", show_default=True)
@click.option("--only", metavar="PATTERN", help="Only the cases with these values.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def command(suite: str, blocks: int | None, seed: int, only: str | None, as_json: bool) -> None:
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
    names = [gate.name for gate in gates]
    if as_json:
        click.echo(json.dumps(_document(chosen.name, plan, names, left_out), indent=2))
    else:
        _print(
            chosen.name, plan, [*names, *(f"{name} (not judged: left out by --only)" for name in left_out)]
        )


def _document(suite: str, plan: Plan, gates: Sequence[str], left_out: Sequence[str]) -> dict[str, Any]:
    names = labels([planned.case for planned in plan.cases])
    return {
        "suite": suite,
        "blocks": plan.blocks,
        "seed": plan.seed,
        "warmup_s": plan.warmup_s,
        "window_s": plan.window_s,
        "trials": len(plan.slots),
        "expected_s": plan.expected_s + plan.tracing_s,
        "cases": [
            {
                "label": names[planned.case.identity],
                "identity": planned.case.identity,
                "path": planned.path,
                "baseline": planned.case.baseline,
                "expect_failure": planned.case.expect_failure,
            }
            for planned in plan.cases
        ],
        "gates": list(gates),
        "gates_not_judged": list(left_out),
        "order": [
            {"block": slot.block + 1, "case": slot.case, "control": slot.control} for slot in plan.slots
        ],
    }


def _print(suite: str, plan: Plan, gates: Sequence[str]) -> None:
    names = labels([planned.case for planned in plan.cases])
    timed = [planned for planned in plan.cases if not planned.case.expect_failure]
    minutes, seconds = divmod(round(plan.expected_s + plan.tracing_s), 60)
    click.echo(
        f"{suite}: {len(timed)} cases in {plan.blocks} blocks, {len(plan.slots)} trials of "
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
    for name in gates:
        click.echo(f"\nGate: {name}")
    click.echo(f"\nOrder with seed {plan.seed}:")
    for block in range(plan.blocks):
        order = [slot for slot in plan.slots if slot.block == block]
        click.echo(
            f"  block {block + 1}: "
            + " | ".join(names[slot.case] + (" (again)" if slot.control else "") for slot in order)
        )
