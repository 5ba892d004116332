"""Made-up stores whose truth is known: what each case measured in each block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from results.case import Case
from results.records import Outcome, Slot
from results.store import Store
from tests.results.examples import STREAM, WHOLE, load_record, request, run_header, trial_record, verification

MIB = 2**20
MS = 1e6
#: What a quiet machine does to each block.
NOISE = [1.002, 0.994, 1.009, 1.0, 0.991, 1.005, 0.997, 1.003]
MACHINE = {
    "cpu": "x",
    "cpu_count": 2,
    "kernel": "6.1",
    "python": "3.12.1",
    "packages": {"flask": "3.1", "streamgauge": "0.1.0"},
    "suite_folder": None,
    "git": {"commit": "a" * 40, "committed_utc": "2031-01-01T00:00:00+00:00", "dirty": False},
}
Figures = Mapping[str, float | None]


def blocks(
    ttfb_ms: float, *, memory_mib: float = 5, count: int = 8, throughput: float = 30e6
) -> list[Figures]:
    """A block's figures for each of so many, with the noise of a quiet machine."""
    return [
        {
            "ttfb_p50": ttfb_ms * MS * noise,
            "throughput": throughput / noise,
            "peak_memory": memory_mib * MIB + 4096 * number,
        }
        for number, noise in enumerate(NOISE[:count])
    ]


#: The whole form takes 50 ms and 5 MiB, its stream 2 ms and 1 MiB.
WHOLES = blocks(50)
STREAMS = blocks(2, memory_mib=1)


def make_store(
    path: Path,
    measured: Mapping[str, Sequence[Figures]] | None = None,
    *,
    cases: Sequence[Case] = (WHOLE, STREAM),
    environment: Mapping[str, Any] | None = None,
    bytes_of_body: int = 1000,
    failed: Sequence[int] = (),
    finished: bool = True,
    **header: Any,
) -> Path:
    """A store of these blocks by case identity; by default `WHOLES` and `STREAMS`.

    Each baseline is measured twice, with equal figures. In the trials at the positions ``failed`` a response
    was cut off.
    """
    by_case = {WHOLE.identity: WHOLES, STREAM.identity: STREAMS} | dict(measured or {})
    trials: list[tuple[Slot, Figures]] = []
    for case in cases:
        for control in (False, True) if case.is_baseline else (False,):
            for block, figures in enumerate(by_case[case.identity]):
                trials.append((Slot(len(trials), block, case.identity, control), figures))
    made = run_header(
        **{
            "run_id": path.stem,
            "cases": list(cases),
            "slots": [slot for slot, _ in trials],
            "environment": MACHINE | dict(environment or {}),
        }
        | header
    )
    with Store.create(path, made) as store:
        store.add_verifications({case.identity: verification(body_bytes=bytes_of_body) for case in cases})
        for slot, figures in trials:
            bad = slot.position in failed
            outcome = Outcome.TRUNCATED if bad else Outcome.VERIFIED
            store.add_trial(
                trial_record(
                    slot.position,
                    reason="1 of 1 responses failed" if bad else None,
                    load=load_record([request(outcome=outcome)]),
                    figures=figures,
                )
            )
        if finished:
            store.finish("2031-02-03T05:00:00+00:00")
    return path
