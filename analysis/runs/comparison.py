"""Two stored runs, case by case: what differs between them, what cannot be compared, verdicts on the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis.runs.between_runs import Arms, Screened, screen
from analysis.runs.fingerprint import brings_its_app, changed_workers, changes, measured_commit
from analysis.scope import headline_of, why_without
from analysis.statistics.multiple import SCREENING_Q
from analysis.summary import labels, memory_resolution_bytes, valid_by_block
from analysis.trial.calibration import error_of
from analysis.verdicts.arm import absolute_arm, arm_of
from analysis.verdicts.fitness import unfit
from analysis.verdicts.judgement import Kind
from analysis.verdicts.trust import trustworthy
from results.case import Case
from results.errors import UsageError
from results.metrics import FIGURES, Figure, Unit
from results.run import Run


@dataclass(frozen=True, slots=True)
class Compared:
    """A case in one figure. ``absolute``: it has no baseline, and the figures themselves are compared.

    ``shown_only``: the trials have too few requests for a verdict on it, and nobody asked for one.
    """

    case: Case
    label: str
    figure: Figure
    absolute: bool
    shown_only: bool
    screened: Screened


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two runs say of each other; a phrase for each thing that stands in the way.

    ``gaps`` should be compared and cannot be: cases and figures that one run lacks, runs that may not be
    relied on. ``changed`` is how machine, programs and suite differ. ``doubts`` are what else a reader must
    know: runs that are not complete, unfit machines, other responses. ``left_out`` is what is not compared by
    rule. ``commits`` are those of the app, base and head, null where not known.
    """

    gaps: Sequence[str]
    changed: Sequence[str]
    doubts: Sequence[str]
    left_out: Sequence[str]
    commits: tuple[str | None, str | None]
    lines: Sequence[Compared]


def everything(case: Case) -> bool:  # noqa: ARG001
    """Chooses each case."""
    return True


def compare_runs(
    base: Run,
    head: Run,
    asked: Sequence[str] = (),
    *,
    chosen: Callable[[Case], bool] = everything,
) -> Comparison:
    """Compare the ``chosen`` cases in the figures ``asked`` for by name, or else in the headline ones.

    Of a case that has a baseline, the ratios to it are compared (memory: the differences); of one that has
    none, its figures themselves, where machine, programs and suite are the same. A figure that neither run
    gives for a case is left out, or a gap when it was asked for and the case can have it.
    Raises UsageError when both are one run, and when they have no chosen case in common.
    """
    if base.header.run_id == head.header.run_id:
        raise UsageError(
            f"BASE and HEAD are the same run, made {base.header.created_utc}; name two runs "
            "(`streamgauge list` shows them)"
        )
    common, gaps = _common(base, head, chosen)
    names = labels([case for case in head.header.cases if not case.expect_failure])
    changed = _changed(base, head)
    left_out: list[str] = []
    found: list[tuple[Case, Arms]] = []
    for case in common:
        label = names[case.identity]
        if case.is_baseline and changed:
            left_out.append(f"{label}: a case without a baseline is compared only where nothing has changed")
            continue
        if unusable := [side for side, run in _sides(base, head) if not _usable(run, case)]:
            gaps.append(
                f"{label}: no block of {' and '.join(unusable)} has valid trials of it and of its baseline"
            )
            continue
        for name in asked or headline_of(case):
            arms = arms_between(base, head, case, FIGURES[name])
            if isinstance(arms, Arms):
                found.append((case, arms))
            elif len(arms) == 2 and not (asked and why_without(FIGURES[name], case) is None):
                left_out.append(f"{label}: neither run gives {name}")
            else:
                gaps.append(f"{label}: {'; '.join(arms)}")
    verdicts = screen([arms for _, arms in found])
    return Comparison(
        gaps=[*gaps, *_unreliable(base, head, common)],
        changed=changed,
        doubts=_doubts(base, head, common, names),
        left_out=left_out,
        commits=(_commit(base), _commit(head)),
        lines=[
            Compared(
                case,
                names[case.identity],
                arms.figure,
                absolute=case.is_baseline,
                shown_only=arms.weak is not None and not asked,
                screened=verdict,
            )
            for (case, arms), verdict in zip(found, verdicts, strict=True)
        ],
    )


def summary_of(comparison: Comparison) -> str:
    """How many comparisons came out how, and what that is worth."""
    if not comparison.lines:
        return "Nothing could be compared; what stands in the way is said with it."
    kinds = Counter(line.screened.kind for line in comparison.lines)
    counts = ", ".join(f"{kinds[kind]} {kind}" for kind in Kind if kinds[kind])
    return (
        f"Of {len(comparison.lines)} comparisons: {counts}. This is screening (q = {SCREENING_Q:g}): the two "
        "runs share no blocks, and only trials of both in the same blocks, which `ab` measures, can confirm "
        "what it finds."
    )


def arms_between(base: Run, head: Run, case: Case, figure: Figure) -> Arms | list[str]:
    """Both runs' pairs of a case in a figure; or, where a run lacks it, a phrase for each that does."""
    arm = absolute_arm if case.is_baseline else arm_of
    ours, theirs = (arm(run, case, figure.name) for run in (base, head))
    missing = [
        f"in {side} {found.missing}" for side, found in (("base", ours), ("head", theirs)) if found.missing
    ]
    if missing:
        return missing
    errors = [error_of(run, figure, case) for run in (base, head)]
    resolutions = [memory_resolution_bytes(run) for run in (base, head)]
    # a difference to a baseline is as coarse as the mark, and so is a figure itself
    coarse = max(resolutions) if case.is_baseline else sum(resolutions)
    return Arms(
        figure,
        ours.pairs,
        theirs.pairs,
        levels=[*ours.levels, *theirs.levels],
        resolution=coarse if figure.unit is Unit.BYTES else 0.0,
        error=max((known for known in errors if known is not None), default=None),
        weak=ours.weak or theirs.weak,
    )


def _sides(base: Run, head: Run) -> tuple[tuple[str, Run], tuple[str, Run]]:
    return ("base", base), ("head", head)


def _common(base: Run, head: Run, chosen: Callable[[Case], bool]) -> tuple[list[Case], list[str]]:
    """The chosen cases that both runs time, in the head's order, and a phrase for each of the others."""
    timed = {
        side: {case.identity: case for case in run.header.cases if not case.expect_failure and chosen(case)}
        for side, run in _sides(base, head)
    }
    common = [case for identity, case in timed["head"].items() if identity in timed["base"]]
    only = [
        f"only in {side}: {identity}"
        for side, other in (("base", "head"), ("head", "base"))
        for identity in timed[side]
        if identity not in timed[other]
    ]
    if not common:
        what = "\n".join(f"  {phrase}" for phrase in only) or "  neither has a case that was chosen"
        raise UsageError(f"the two runs have no case in common; choose runs of one suite\n{what}")
    return common, only


def _changed(base: Run, head: Run) -> list[str]:
    before, after = base.header.environment, head.header.environment
    found = [*changes(before, after), *changed_workers(base.workers, head.workers)]
    own = [((environment.get("git") or {}).get("commit")) for environment in (before, after)]
    if own[0] != own[1] and not (brings_its_app(before) and brings_its_app(after)):
        found.append(f"streamgauge's own commit was {own[0]} and is {own[1]}")
    if base.header.suite_toml != head.header.suite_toml:
        found.append(f"the text of the suite differs ({base.header.suite} and {head.header.suite})")
    return found


def _doubts(base: Run, head: Run, common: Sequence[Case], names: Mapping[str, str]) -> list[str]:
    found = []
    for side, run in _sides(base, head):
        if run.finished_utc is None:
            found.append(f"{side} is not complete: {len(run.trials)} of {len(run.header.slots)} trials")
        found += [
            f"the machine of {side} was unfit: {item.label}: {item.verdict.figure.name} came out "
            f"{item.verdict.kind} than itself"
            for item in unfit(run)
        ]
    for case in common:
        lengths = [run.verifications.get(case.identity) for run in (base, head)]
        was, now = (found.body_bytes if found else None for found in lengths)
        if was != now:
            found.append(f"{names[case.identity]}: the response had {was} bytes and has {now}")
    return found


def _unreliable(base: Run, head: Run, common: Sequence[Case]) -> Iterator[str]:
    concerned = {identity for case in common for identity in (case.identity, case.baseline)}
    for side, run in _sides(base, head):
        if not trustworthy([trial for trial in run.trials if trial.slot.case in concerned]):
            yield (
                f"{side} may not be relied on: a response of these cases failed, or more than a quarter of "
                "a case's trials are invalid (`streamgauge show` tells why)"
            )


def _commit(run: Run) -> str | None:
    commit = measured_commit(run.header.environment)
    return str(commit) if commit else None


def _usable(run: Run, case: Case) -> bool:
    own = valid_by_block(run, case.identity)
    return not own.keys().isdisjoint(valid_by_block(run, case.baseline or case.identity))
