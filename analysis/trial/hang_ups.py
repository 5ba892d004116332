"""What a traced trial shows of clients that hang up: whether, and how soon, the app was told."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np

from analysis.trial.tracing import Joined, traced_request
from results.records import COLUMN, MemorySample
from results.trace import TRACED_FIGURES, Trace


def hang_up_trace(
    case: str, started_utc: str, items: Sequence[Joined], count: int, samples: Sequence[MemorySample]
) -> Trace:
    """The trace of ``count`` requests that were hung up, the warm-up first.

    ``items`` are those of them whose record the ledger has written: it does so when ``close()`` is called.
    ``samples`` is the sampled RSS of the whole trial. There is no waterfall: the bytes that the app
    handed over and nobody read have no arrival.
    """
    requests = [traced_request(item, samples) for item in items]
    timed = [item for item in items if item.number]
    unclosed = count - 1 - len(timed)
    figures: dict[str, float | None] = dict.fromkeys(TRACED_FIGURES)
    figures |= {"hung_up": count - 1, "not_closed": unclosed / (count - 1) if count > 1 else None}
    if timed:
        left = [int(item.request[COLUMN["last_ns"]]) for item in timed]
        both = list(zip((item.ledger for item in timed), left, strict=True))
        ended = [book.ended_ns is not None and book.ended_ns <= left_ns for book, left_ns in both]
        # where the app had handed over everything before, nobody had to be told
        lags = [
            book.closed_ns - left_ns
            for (book, left_ns), early in zip(both, ended, strict=True)
            if book.closed_ns is not None and not early
        ]
        later = [int(np.count_nonzero(book.yields[:, 0] > left_ns)) for book, left_ns in both]
        figures |= {
            "close_lag": statistics.median(lags) if lags else None,
            "yields_after": statistics.median(later),
            "ended_before": statistics.mean(ended),
            "yields": statistics.median(request.yields for request in requests if request.number),
            "memory_growth_max": max(
                (item.memory_growth_bytes for item in requests if item.memory_growth_bytes is not None),
                default=None,
            ),
        }
    note = None
    if unclosed:
        note = (
            f"after {unclosed} of {count - 1} hang-ups close() was not called within seconds: what the app "
            "would tidy up there waits (PEP 3333)"
        )
    return Trace(case, started_utc, None, note, requests, figures)
