"""What a report speaks of first: for each family of streams the one to take, beside its whole form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.buffers.recommend import Recommendation, recommendations
from analysis.findings import CaseFinding, Findings
from results.run import Run


@dataclass(frozen=True, slots=True)
class Choice:
    """One stream against its whole form.

    ``recommendation`` is null where the stream has no buffer to choose. Where it recommends nothing, the
    ``stream`` is the one with the highest throughput.
    """

    whole: CaseFinding
    stream: CaseFinding
    recommendation: Recommendation | None

    @property
    def recommended(self) -> bool:
        """Whether the stream is one that the rule of the buffer recommends."""
        return self.recommendation is not None and bool(self.recommendation.chosen)


def choices(run: Run, findings: Findings) -> list[Choice]:
    """One for each family of buffers, and one for each other stream, in the suite's order."""
    by_identity = {
        finding.summary.case.identity: finding for finding in findings.cases if not finding.summary.control
    }
    families = {
        size.case.identity: recommendation
        for recommendation in recommendations(run)
        for size in recommendation.family.sizes
    }
    found: list[Choice] = []
    told: list[Recommendation] = []
    for finding in by_identity.values():
        case = finding.summary.case
        if case.baseline is None or case.baseline not in by_identity:
            continue
        recommendation = families.get(case.identity)
        if recommendation is None:
            found.append(Choice(by_identity[case.baseline], finding, None))
        elif recommendation not in told:
            told.append(recommendation)
            stream = _of_family(recommendation, by_identity)
            found.append(Choice(by_identity[case.baseline], stream, recommendation))
    return found


def streams_of(choice: Choice, findings: Findings) -> Sequence[CaseFinding]:
    """All streams of the choice's whole form, in the suite's order."""
    whole = choice.whole.summary.case.identity
    return [finding for finding in findings.cases if finding.summary.case.baseline == whole]


def _of_family(recommendation: Recommendation, by_identity: dict[str, CaseFinding]) -> CaseFinding:
    if recommendation.chosen:
        return by_identity[recommendation.chosen[0].case.identity]
    members = [by_identity[size.case.identity] for size in recommendation.family.sizes]
    return max(members, key=lambda member: member.figures["throughput"].value or 0.0)
