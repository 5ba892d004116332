"""The end of a run: on one screen the answer first, or in short, or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from analysis.exports import json_document
from analysis.findings import find
from analysis.verdicts.verdict import GatedCase, NotJudged
from harness.cli.answer import exit_code, print_answer, print_doubts, print_gates
from harness.cli.case_table import print_table
from harness.cli.hard_cases import print_costs, print_growths, print_stored_hang_ups
from harness.cli.memory import print_slopes
from harness.cli.prose import say
from harness.cli.recommend import print_detectable
from harness.cli.streams import until_nobody_reads
from harness.cli.typed import typed
from results.errors import ExitCode
from results.run import Run


def show_outcome(
    run: Run, gates: Sequence[GatedCase], not_judged: Sequence[NotJudged], path: Path
) -> ExitCode:
    """Print everything that a run ends with; its exit code."""
    findings = find(run, gates, not_judged)
    with until_nobody_reads():
        click.echo()
        print_answer(run, findings)
        print_costs(findings)
        print_slopes(run)
        print_growths(run)
        print_stored_hang_ups(run, path)
        if findings.gates:
            click.echo()
        print_gates(findings)
        print_detectable(run)
        print_doubts(findings)
        click.echo()
        print_table(run)
        say(
            "Ratios are to the whole form on the same server under the same load, block by block. "
            '"(again)" is the whole form measured a second time: how far it is from ×1 is the noise.'
        )
        say(f"Stored in {path}; `{typed('show', str(path))}` prints all of it.")
    return exit_code(findings)


def tell_problems(
    run: Run,
    gates: Sequence[GatedCase],
    not_judged: Sequence[NotJudged],
    path: Path,  # noqa: ARG001  - an ending like the others
) -> ExitCode:
    """Print what came of the gates, and what speaks against relying on the run; its exit code."""
    findings = find(run, gates, not_judged)
    with until_nobody_reads():
        print_gates(findings)
        print_doubts(findings)
    return exit_code(findings)


def write_document(
    run: Run, gates: Sequence[GatedCase], not_judged: Sequence[NotJudged], path: Path
) -> ExitCode:
    """Print the findings as one JSON object, and where the run is stored on standard error; its exit code."""
    findings = find(run, gates, not_judged)
    with until_nobody_reads():
        click.echo(json_document.export(findings), nl=False)
        print_doubts(findings)
        say(f"Stored in {path}", err=True)
    return exit_code(findings)
