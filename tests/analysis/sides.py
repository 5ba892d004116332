"""Made-up abs: what each side's case measured in each block is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from results.case import Case
from results.metrics import FIGURES
from results.records import Slot
from results.run import Run, TrialSummary
from results.sides import MarginGate, Side, SideRecord
from results.terms import Terms
from tests.analysis.examples import run_of
from tests.results.examples import STREAM, WHOLE, verification

SIDES = (SideRecord(Side.BASE, "b", "b" * 40, "/r"), SideRecord(Side.HEAD, "h", "a" * 40, "/r"))
#: Differences between two equal arms, in share; their signed-rank test says nothing.
NOISE = [0.002, -0.003, 0.001, -0.001, 0.003, -0.002, 0.004, -0.004, 0.005, -0.005] * 2
#: What the machine does to whole blocks.
DRIFT = [1.0, 1.4, 0.9, 1.1, 1.6, 0.8, 1.2, 1.3, 1.0, 0.7] * 2
Figures = Mapping[str, float | None]
#: The blocks of each case, by identity.
Arms = Mapping[str, Sequence[Figures]]
W, S = WHOLE.identity, STREAM.identity


def blocks(ratio: float, count: int, metric: str = "ttfb_p50", level: float = 1e7) -> list[Figures]:
    """So many blocks of a case at this ratio of the machine's own level."""
    noisy = zip(DRIFT[:count], NOISE[:count], strict=True)
    return [{metric: ratio * (1 + noise) * drift * level} for drift, noise in noisy]


def ab_of(
    base: Arms,
    head: Arms,
    *,
    confirming: Mapping[Side, Arms] | None = None,
    gates: Sequence[MarginGate] = (),
    terms: Terms | None = None,
    verified: int = 600,
) -> Run:
    """An ab; the blocks that confirm are numbered after the others."""
    cases = [case for case in (WHOLE, STREAM) if case.identity in {*base, *head}]
    count = max(len(items) for items in [*base.values(), *head.values()])
    trials: list[TrialSummary] = []
    for side, arms in ((Side.BASE, base), (Side.HEAD, head)):
        trials += _trials(arms, side, 0, verified)
        trials += _trials((confirming or {}).get(side, {}), side, count, verified)
    run = run_of(*((case, []) for case in cases))
    header = replace(
        run.header,
        blocks=count,
        slots=[trial.slot for trial in trials],
        sides=SIDES,
        margin_gates=tuple(gates),
        terms=terms or Terms(),
        environment={"cpu_count": 2},
    )
    found = {case.identity: verification() for case in cases}
    return replace(run, header=header, trials=trials, verifications=found, base_verifications=found)


def alternating(ratio: float, count: int, metric: str = "ttfb_p50") -> list[Figures]:
    """The same, each block off by 4 in a thousand, up and down by turns."""
    return [
        {metric: (figures[metric] or 0) * (1 + 0.004 * (-1) ** index)}
        for index, figures in enumerate(blocks(ratio, count, metric))
    ]


def gate(metric: str = "ttfb_p50", margin: float = 0.05, case: Case = WHOLE) -> MarginGate:
    own = FIGURES[metric].margin
    return MarginGate(f"{metric} within {margin:.0%}", case, metric, replace(own, share=margin))


def _trials(arms: Arms, side: Side, first: int, verified: int) -> list[TrialSummary]:
    by_identity = {case.identity: case for case in (WHOLE, STREAM)}
    plain = run_of(
        *((by_identity[identity], each) for identity, each in arms.items()), verified=verified
    ).trials
    return [
        replace(
            trial,
            slot=Slot(0, first + trial.slot.block, trial.slot.case, side=side, confirming=first > 0),
        )
        for trial in plain
    ]
