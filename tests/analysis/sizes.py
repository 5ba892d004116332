"""Made-up runs of one response in several sizes: what each byte costs is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from results.case import Case
from results.run import Run
from tests.analysis.examples import Measured, run_of
from tests.results.examples import verification

MB = 1_000_000
TOTALS = (2500, 10_000, 40_000, 160_000)
BYTES_A_ROW = 100

Peak = Callable[[int, int], float | None]


def case(total: int, form: str = "stream", **parameters: int | str) -> Case:
    fixed: dict[str, int | str] = {"target": "orders", "form": form, "server": "gunicorn", "users": 1}
    return Case({**fixed, "total": total, **parameters}, baseline=None)


def sized(run: Run, lengths: Mapping[str, int], cpus: int = 1) -> Run:
    """The run, whose cases have bodies of these lengths, on so many CPUs."""
    header = replace(run.header, environment={"cpu_count": cpus})
    found = {identity: verification(body_bytes=length) for identity, length in lengths.items()}
    return replace(run, header=header, verifications=found)


def grown(peak: Peak, *, blocks: int = 8, totals: Sequence[int] = TOTALS, cpus: int = 1) -> Run:
    """A run of cases of different totals, each byte costing ``peak(length, block)``."""
    arms: list[tuple[Case, Sequence[Measured]]] = [
        (
            case(total),
            [{"peak_memory": peak(total * BYTES_A_ROW, block)} for block in range(blocks)],
        )
        for total in totals
    ]
    return sized(run_of(*arms), {case(total).identity: total * BYTES_A_ROW for total in totals}, cpus)
