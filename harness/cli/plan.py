"""``streamgauge plan``: what would be measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import click

from analysis.summary import labels
from analysis.verdicts.gate import fewest_blocks
from analysis.verdicts.verdict import NotJudged
from harness.cli.checked import Duration
from harness.cli.session import Asked, draft
from harness.loading.line import check_line
from harness.redaction import Redaction
from harness.stopping import check_budget, counted, duration, what_can_be_seen
from harness.suites.gates import gates_of
from harness.suites.matrix import PlannedCase, lines_of
from harness.suites.plan import Plan
from results.errors import UsageError


@click.command("plan")
@click.argument("suite", default="quick")
@click.option("--blocks", type=click.IntRange(1, 1000), help="Plan so many blocks.")
@click.option("--seed", type=click.IntRange(0), default=0, help="The seed of the order.", show_default=True)
@click.option("--only", metavar="PATTERN", help="Only the cases with these values.")
@click.option("--budget", type=Duration(), help='Plan as many blocks as fit into a time, like "5m".')
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def command(
    suite: str, blocks: int | None, seed: int, only: str | None, budget: float | None, as_json: bool
) -> None:
    """Show the cases, blocks, order and minutes of SUITE; start nothing."""
    asked = draft(Asked(suite, blocks, seed, only, None, budget, None))
    gates, not_judged = gates_of(asked.suite, asked.cases, asked.blocks, asked.terms)
    plan = asked.plan(seed)
    if budget is not None:
        plan = replace(
            plan, slots=plan.further(range(check_budget(budget, plan, fewest_blocks(len(gates)))), 0)
        )
    names = [gate.name for gate in gates]
    refused = _refused(asked.cases)
    if as_json:
        document = _document(asked.suite.name, plan, names, not_judged, budget)
        click.echo(json.dumps({**document, "lines_refused": refused}, indent=2))
        return
    said = (
        []
        if budget is None
        else [f"{duration(budget)} are about {counted(plan.blocks)}. {what_can_be_seen(plan.blocks)}"]
    )
    said += [f"Gate: {name}" for name in names]
    said += [f"Gate: {gate.name} (not judged: {gate.reason})" for gate in not_judged]
    if lines := lines_of(asked.cases):
        names_of_lines = ", ".join(line.label for line in lines)
        over = f"Over {len(lines)} line{'s' if len(lines) > 1 else ''} ({names_of_lines})"
        said.append(f"{over}, which this machine can make." if refused is None else f"{over}. {refused}")
    _print(asked.suite.name, plan, said)


def _refused(cases: Sequence[PlannedCase]) -> str | None:
    """Why this machine cannot make the lines that the cases have; null where it can, or they have none."""
    try:
        check_line(cases)
    except UsageError as error:
        return str(error)
    return None


def _document(
    suite: str, plan: Plan, gates: Sequence[str], not_judged: Sequence[NotJudged], budget: float | None
) -> dict[str, Any]:
    names = labels([planned.case for planned in plan.cases])
    return {
        "suite": suite,
        "blocks": plan.blocks,
        "budget_s": budget,
        "seed": plan.seed,
        "warmup_s": plan.warmup_s,
        "window_s": plan.window_s,
        "trials": len(plan.slots),
        "expected_s": plan.expected_s + plan.tracing_s,
        "cases": [
            {
                "label": names[planned.case.identity],
                "identity": planned.case.identity,
                "path": Redaction.of_targets([planned.target]).text(planned.path),
                "baseline": planned.case.baseline,
                "expect_failure": planned.case.expect_failure,
                "others": None if planned.others is None else asdict(planned.others),
            }
            for planned in plan.cases
        ],
        "gates": list(gates),
        "gates_not_judged": [gate.name for gate in not_judged],
        "order": [
            {"block": slot.block + 1, "case": slot.case, "control": slot.control} for slot in plan.slots
        ],
    }


def _beside(planned: PlannedCase) -> str:
    """What others ask beside a case."""
    others = planned.others
    if others is None:
        return ""
    return (
        f"; beside it {others.rate:g} small requests a second for {planned.target.ready}, alone for "
        f"{others.alone_s:g} s first, given up after {others.patience_s:g} s"
    )


def _print(suite: str, plan: Plan, said: Sequence[str]) -> None:
    names = labels([planned.case for planned in plan.cases])
    timed = [planned for planned in plan.cases if not planned.case.expect_failure]
    click.echo(
        f"{suite}: {len(timed)} cases in {plan.blocks} blocks, {len(plan.slots)} trials of "
        f"{plan.warmup_s:g} s warm-up and {plan.window_s:g} s window, then one traced trial a case; "
        f"about {duration(round(plan.expected_s + plan.tracing_s))}"
    )
    click.echo("\nCases:")
    for planned in plan.cases:
        note = " (expected to fail: shown, never timed)" if planned.case.expect_failure else ""
        note = " (baseline: twice in each block)" if planned.case.is_baseline else note
        note += _beside(planned)
        path = Redaction.of_targets([planned.target]).text(planned.path)
        asked = f"{planned.target.method} {path}" + ", collected before it is sent" * planned.joined
        click.echo(f"  {names[planned.case.identity]}{note}\n      {asked}\n      {planned.case.identity}")
    for line in said:
        click.echo(f"\n{line}")
    click.echo(f"\nOrder with seed {plan.seed}:")
    for block in range(plan.blocks):
        order = [slot for slot in plan.slots if slot.block == block]
        click.echo(
            f"  block {block + 1}: "
            + " | ".join(names[slot.case] + (" (again)" if slot.control else "") for slot in order)
        )
