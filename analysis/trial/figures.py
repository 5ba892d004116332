"""One trial's figures from its raw records, by the definitions of docs/metrics.md."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from analysis.trial.others import figures_of_others
from analysis.trial.tree_pss import tree_pss_bytes
from results.metrics import FIGURES
from results.records import (
    AS_PLANNED,
    COLUMN,
    MISSING,
    FollowUpArray,
    LoadRecord,
    Outcome,
    RequestArray,
    ServerRecord,
)

#: The instants between which each metric that has one value a request is taken.
_SPANS = {
    "ttfb": ("sent_ns", "first_body_ns"),
    "ttfb_effective": ("intended_ns", "first_body_ns"),
    "tthb": ("sent_ns", "headers_ns"),
    "ttfr": ("sent_ns", "first_row_ns"),
    "ttlb": ("sent_ns", "last_ns"),
    "ttlb_effective": ("intended_ns", "last_ns"),
}
#: Those that a response has only when it is through.
_TO_THE_END = frozenset({"ttlb", "ttlb_effective"})
_MEGABYTE = 1e6

#: Which requests of an array are meant: one truth value for each.
Chosen: TypeAlias = npt.NDArray[np.bool_]


def figures_of_trial(load: LoadRecord, server: ServerRecord | None) -> dict[str, float | None]:
    """Every figure of `results.metrics.FIGURES`; null where the trial cannot give it.

    Figures of latency are over the verified requests of the window: see `inside_window`. Where clients hang
    up, those that did so as planned have a first byte too, and neither an end nor a rate.
    """
    figures: dict[str, float | None] = dict.fromkeys(FIGURES)
    figures |= _latencies(load)
    if load.follow_ups is None:
        figures |= _rates(load)
    if load.reading_bytes_per_second is not None:
        figures |= dict.fromkeys(name for name, figure in FIGURES.items() if figure.of_pace)
    if load.others is not None:
        figures |= figures_of_others(load, load.others)
    if server is not None:
        figures |= _memory(server)
        figures["tree_pss"] = tree_pss_bytes(load, server)
        # bytes of a failed response would make the verified ones look cheaper
        received = int(load.requests[_verified(load.requests), COLUMN["body_bytes"]].sum())
        if received:
            figures["cpu_per_mb"] = server.cpu_ns / (received / _MEGABYTE)
    return figures


def inside_window(load: LoadRecord) -> Chosen:
    """Which requests were intended inside the window, in a closed loop which were sent inside it.

    The last ones of them end in the drain. Of a long trial the requests themselves are not copied.
    """
    sent, intended = load.requests[:, COLUMN["sent_ns"]], load.requests[:, COLUMN["intended_ns"]]
    wanted = np.where(intended == MISSING, sent, intended)
    inside: Chosen = (wanted >= load.window_open_ns) & (wanted < load.window_close_ns)
    return inside


def _verified(requests: RequestArray) -> Chosen:
    counted: Chosen = requests[:, COLUMN["outcome"]] == Outcome.VERIFIED
    return counted


def _as_planned(requests: RequestArray) -> Chosen:
    return np.isin(requests[:, COLUMN["outcome"]], [*AS_PLANNED])


def _latencies(load: LoadRecord) -> Mapping[str, float | None]:
    requests = load.requests
    inside = inside_window(load) & _as_planned(requests)
    whole = inside & _verified(requests)
    values = {
        name: _spans(requests, whole if name in _TO_THE_END else inside, *ends)
        for name, ends in _SPANS.items()
    }
    stalls = requests[whole, COLUMN["stall_max_ns"]]
    values["stall_max"] = stalls[stalls != MISSING]
    figures: dict[str, float | None] = {
        name: float(np.quantile(values[metric], figure.quantile))
        for name, figure in FIGURES.items()
        if figure.quantile is not None
        and (metric := name.rpartition("_")[0]) in values
        and values[metric].size >= figure.fewest_requests
    }
    if load.follow_ups is not None:
        figures |= _served_after(load, load.follow_ups)
    return figures


def _served_after(load: LoadRecord, follow_ups: FollowUpArray) -> Mapping[str, float | None]:
    """From each hang-up inside the window to the answer of the next small request; null for want of answers.

    One without an answer took longer than any: a quantile that rests on one is not told.
    """
    left, answered = follow_ups[:, :2].T
    inside = (left >= load.window_open_ns) & (left < load.window_close_ns)
    waits = np.sort(np.where(answered == MISSING, np.inf, answered - left)[inside])
    figures: dict[str, float | None] = {}
    for name, figure in FIGURES.items():
        if figure.needs_hang_up and figure.quantile is not None and waits.size >= figure.fewest_requests:
            place = figure.quantile * (waits.size - 1)
            below, above = waits[math.floor(place)], waits[math.ceil(place)]
            if np.isfinite(above):
                figures[name] = float(below + (place % 1) * (above - below))
    if waits.size:
        figures["unserved"] = float(np.isinf(waits).mean())
    return figures


def _spans(requests: RequestArray, chosen: Chosen, begin: str, end: str) -> npt.NDArray[np.int64]:
    begins, ends = requests[chosen, COLUMN[begin]], requests[chosen, COLUMN[end]]
    spans: npt.NDArray[np.int64] = (ends - begins)[(begins != MISSING) & (ends != MISSING)]
    return spans


def _rates(load: LoadRecord) -> Mapping[str, float]:
    requests, verified = load.requests, _verified(load.requests)
    seconds = (load.window_close_ns - load.window_open_ns) / 1e9
    arrived = requests[verified, COLUMN["bytes_at_close"]] - requests[verified, COLUMN["bytes_at_open"]]
    last = requests[verified, COLUMN["last_ns"]]
    inside = (last >= load.window_open_ns) & (last < load.window_close_ns)
    return {
        "throughput": float(arrived.sum()) / seconds,
        "requests_per_second": float(inside.sum()) / seconds,
    }


def _memory(server: ServerRecord) -> Mapping[str, float]:
    """Over the workers; a server that is one process is its own worker."""
    workers = [process for process in server.processes if process.role == "worker"]
    # The kernel keeps the mark by an approximate counter: a sample may lie a little above it.
    marks = [
        (worker, max(worker.hwm_bytes, worker.sampled_peak_bytes))
        for worker in workers
        if worker.hwm_bytes is not None
    ]
    settled = [
        worker.rss_settled_bytes - worker.rss_at_reset_bytes
        for worker in workers
        if worker.rss_settled_bytes is not None
    ]
    retained = {"retained": max(settled)} if settled else {}
    if marks:
        return retained | {
            "peak_memory": max(mark - worker.rss_at_reset_bytes for worker, mark in marks),
            "peak_rss": max(mark for _, mark in marks),
            "peak_missed": max(mark - worker.sampled_peak_bytes for worker, mark in marks),
        }
    if not workers:
        return {}
    # Without a high-water mark, sampling is all there is; what it missed cannot be known.
    return retained | {
        "peak_memory": max(worker.sampled_peak_bytes - worker.rss_at_reset_bytes for worker in workers),
        "peak_rss": max(worker.sampled_peak_bytes for worker in workers),
    }
