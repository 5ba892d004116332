"""Made-up runs of one response in several buffers: which one is right is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from results.case import Case
from results.run import Run
from tests.analysis.examples import Measured, run_of
from tests.results.examples import WHOLE, verification

MS = 1e6
MB = 1e6
MIB = 2**20
#: The levels of a machine that drifts by a factor of 3.
DRIFT = (1.0, 3.0, 2.0, 1.0, 2.5, 1.2, 1.9, 2.2, 1.1, 2.9, 1.4, 1.7)
#: What noise does to one trial: within 1%.
NOISE = (1.002, 0.994, 1.009, 1.0, 0.991, 1.005, 0.997, 1.003, 0.996, 1.004, 1.001)
BYTES_A_ROW = 93


@dataclass(frozen=True, slots=True)
class Truth:
    """What one buffer is like: its rate and its first byte on a quiet machine."""

    rate: float
    ttfb: float = 1 * MS
    peak: float | None = MIB


def case(**parameters: int | str) -> Case:
    fixed: dict[str, int | str] = {"target": "orders", "form": "stream", "server": "gunicorn", "users": 1}
    return Case({**fixed, **parameters}, baseline=WHOLE.identity)


def trial(truth: Truth, level: float = 1.0, noise: float = 1.0) -> dict[str, float | None]:
    return {
        "throughput": truth.rate / level * noise,
        "ttfb_p50": truth.ttfb * level / noise,
        "peak_memory": truth.peak,
    }


def drifting(truths: Mapping[int, Truth], blocks: int = 8) -> Run:
    """rows=1, rows=5 and so on, on a machine that drifts and is off by up to 1% in each trial."""
    return measured(
        {
            rows: [
                trial(truth, DRIFT[block], NOISE[(block * 7 + number * 3) % len(NOISE)])
                for block in range(blocks)
            ]
            for number, (rows, truth) in enumerate(truths.items())
        }
    )


def measured(trials: Mapping[int, Sequence[Measured]]) -> Run:
    """rows=1, rows=5 and so on, each with these trials; each chunk has so many rows."""
    return chunked(
        run_of(*((case(rows=rows), blocks) for rows, blocks in trials.items())),
        {case(rows=rows).identity: rows * BYTES_A_ROW for rows in trials},
    )


def chunked(run: Run, chunks: Mapping[str, int | None]) -> Run:
    """The run, whose cases have chunks of these bytes; the first has 155 more, for the header."""
    found = {
        identity: verification(
            median_chunk_bytes=median, first_chunk_bytes=None if median is None else median + 155
        )
        for identity, median in chunks.items()
    }
    return replace(run, verifications=found)
