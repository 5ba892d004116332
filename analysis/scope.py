"""Which figures a case can have at all, by how it is asked; and those of them that a reader relies on."""

from __future__ import annotations

from collections.abc import Sequence

from results.case import Case
from results.metrics import FIGURES, Figure

#: The figures of the end table.
HEADLINE = ("ttfb_p50", "ttfb_p95", "throughput", "peak_memory", "cpu_per_mb")
#: Those of a case with small requests beside its streams.
OF_OTHERS = ("others_ttlb_p50", "worker_held", "others_unanswered")
#: Those of a case whose clients hang up.
OF_HANG_UPS = ("served_after_p50", "unserved", "retained")


def why_without(figure: Figure, case: Case) -> str | None:
    """Why this case cannot have this figure, with what to name instead; None when it can."""
    scenario = case.parameters.get("scenario")
    if figure.needs_schedule and scenario != "arrivals":
        return 'a closed loop has no schedule; name a case of kind = "arrivals", or another metric'
    if figure.needs_others and not has_others(case):
        return (
            "nobody asks anything beside the streams; name a case of kind = "
            '"mixed" or "slow-reader", or another metric'
        )
    if figure.of_pace and scenario == "slow-reader":
        return "the reader sets the pace, and it would measure the reader; name another metric"
    if figure.needs_end and scenario == "hang-up":
        return "its clients leave in the middle, and no response comes to its end; name another metric"
    if figure.needs_hang_up and scenario != "hang-up":
        return 'nobody hangs up; name a case of kind = "hang-up", or another metric'
    return None


def has_others(case: Case) -> bool:
    """Whether small requests are asked beside the case's streams."""
    return "others" in case.parameters


def is_patience(name: str, value: float | None, case: Case) -> bool:
    """Whether this wait of others is the patience that ended it: the truth is longer."""
    figure, patience_s = FIGURES[name], case.parameters.get("patience_s")
    if value is None or patience_s is None or not figure.needs_others or figure.quantile is None:
        return False
    return value >= float(patience_s) * 1e9


def headline_of(case: Case) -> Sequence[str]:
    """The figures by which this case is judged where nobody names any."""
    special = OF_HANG_UPS if case.parameters.get("scenario") == "hang-up" else OF_OTHERS
    return [name for name in (*HEADLINE, *special) if why_without(FIGURES[name], case) is None]
