"""What a run ends with, part by part: the answer, the gates, the doubts; and the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import click

from analysis.buffers.recommend import Recommendation, recommendations
from analysis.exports.printable import printable
from analysis.findings import Findings, GateFinding, GateState
from analysis.sentences import answers
from analysis.table import amount
from analysis.verdicts.fitness import Unfit
from analysis.verdicts.gate import interval_name
from harness.cli.prose import say
from harness.cli.typed import typed
from harness.cli.web import is_marked
from results.errors import ExitCode
from results.faults import Fault
from results.metrics import Unit
from results.run import Run, RunHeader

#: So many distinct reasons of invalid trials are told; `show` has the rest.
_MOST_REASONS = 5


def exit_code(findings: Findings) -> ExitCode:
    """What may not be relied on comes before what is worse."""
    if any(case.untrusted for case in findings.cases) or findings.gates_that(GateState.INVALID):
        return ExitCode.INVALID
    return ExitCode.WORSE if findings.gates_that(GateState.WORSE) else ExitCode.GOOD


def print_answer(run: Run, findings: Findings) -> None:
    """For each whole form what its stream gains and costs, and the buffer that is recommended."""
    recommended = recommendations(run)
    found = answers(findings, recommended)
    if not found:
        say("No case of this run has a whole form to be held against: there are figures, and no answer.")
    for answer in found:
        first, *rest = answer.sentences
        say(f"{first}.")
        for sentence in rest:
            say(f"{sentence}.", indent="  ")
    if found and any(answer.stream for answer in found):
        say(f"(In brackets: the {interval_name(run.header.terms)}. ×0.1 is a tenth of the whole form.)")
    _print_buffers(recommended)


def _print_buffers(recommended: Sequence[Recommendation]) -> None:
    """The answer for each family alone; `show` says why not each of the others."""
    if recommended:
        click.echo("\nRecommended buffer:")
    for item in recommended:
        say(f"{item.family.label}, {item.family.knob}: {item.reason}", indent="  ")


def print_gates(findings: Findings) -> None:
    """A line for each gate: what was measured, and what came of it."""
    for gate in findings.gates:
        say(f"gate: {gate.name}: {_of_gate(gate)}", err=gate.state is GateState.INVALID)


def _of_gate(gate: GateFinding) -> str:
    if gate.state is GateState.NOT_JUDGED:
        return f"NOT JUDGED, {gate.reason}"
    if gate.result is None or gate.figure is None:
        return f"CANNOT BE JUDGED: {gate.reason}"
    unit, result = gate.figure.unit, gate.result
    verdict = "WORSE" if result.failed else "not worse"
    if result.within_error_ns is not None:
        verdict += f", within the client's error of {amount(result.within_error_ns, Unit.NANOSECONDS)}"
    measured = f"{amount(result.figure, unit)} against a limit of {amount(result.limit, unit)}"
    return f"{verdict}: {measured} (p = {result.p:.3g}, Holm)"


def print_doubts(findings: Findings) -> None:
    """On standard error, all that speaks against relying on the run."""
    if findings.finished_utc is None:
        say(
            f"not complete: {findings.trials} of {findings.planned} trials are measured; go on with --resume",
            err=True,
        )
    _print_invalid(findings)
    print_marks(findings.header)
    print_unfit(findings.unfit)


def print_marks(header: RunHeader) -> None:
    """On standard error, what went on beside the run: its load was shown, another run was measured."""
    if header.beside is not None:
        say(
            f"measured beside another streamgauge ({printable(header.beside)}), which disturbed it",
            err=True,
        )
    if is_marked(header):
        say(
            "web UI: measured with Locust's web UI, whose statistics take time from the load: compare these "
            "figures only with those of runs that had it too",
            err=True,
        )


def print_remedies(faults: Mapping[Fault, int]) -> None:
    """On standard error, what helps against each, of so many trials."""
    for fault, count in faults.items():
        say(f"{fault} ({count} trial{'s' if count > 1 else ''}): {fault.hint}", err=True)


def print_unfit(found: Sequence[Unfit]) -> None:
    """On standard error, when the run's own A/A control shows that its machine was unfit to measure."""
    for item in found:
        say(
            f"unfit: {item.label}: {item.verdict.figure.name} came out {item.verdict.kind}: "
            f"{item.verdict.reason}",
            err=True,
        )
    if found:
        say(
            "The machine was unfit: it told a response from itself, measured twice in each block. Do not "
            "rely on differences of this size; measure again on a quieter machine, or with longer windows",
            err=True,
        )


def _print_invalid(findings: Findings) -> None:
    if not findings.invalid:
        return
    reasons: Counter[tuple[str, str]] = Counter()
    for case in findings.cases:
        reasons.update({(case.summary.label, reason): count for reason, count in case.reasons.items()})
    for (label, reason), count in reasons.most_common(_MOST_REASONS):
        trials = f"{count} trial{'s' if count > 1 else ''}"
        say(f"invalid: {trials} of {label}: {printable(reason)}", err=True)
    if len(reasons) > _MOST_REASONS:
        say(f"invalid: {len(reasons) - _MOST_REASONS} more reasons; `{typed('show')}` has them", err=True)
    say(
        f"{findings.invalid_in_words} and left out of the figures above",
        err=True,
    )
    print_remedies(findings.faults)
    for case in findings.cases:
        if case.untrusted:
            say(f"not to be relied on: {case.summary.label}: {printable(case.untrusted)}", err=True)
