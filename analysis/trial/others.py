"""What the streams of one trial cost others: figures of the small requests beside them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from results.metrics import FIGURES
from results.records import COLUMN, LoadRecord, OthersRecord, Outcome, RequestArray

#: Of the time in which others are alone, the first tenth is their own warm-up, and who comes in the last may
#: wait for a stream already.
_ALONE_FROM, _ALONE_TO = 0.1, 0.9

Nanoseconds = npt.NDArray[np.int64]


def figures_of_others(load: LoadRecord, others: OthersRecord) -> Mapping[str, float | None]:
    """Their figures by name; null where too few were asked."""
    beside = beside_streams(load, others)
    values = {"others_ttlb": waits_ns(beside, others), "others_alone_ttlb": waits_ns(alone(others), others)}
    figures: dict[str, float | None] = {}
    for name, figure in FIGURES.items():
        waits = values.get(name.rpartition("_")[0])
        if waits is not None and figure.quantile is not None:
            enough = waits.size >= figure.fewest_requests
            figures[name] = float(np.quantile(waits, figure.quantile)) if enough else None
    figures["worker_held"] = _longest_silence_ns(load, others)
    figures["others_unanswered"] = float(1 - answered(beside).mean()) if len(beside) else None
    return figures


def beside_streams(load: LoadRecord, others: OthersRecord) -> RequestArray:
    """Those that were wanted inside the window."""
    return _wanted(others, load.window_open_ns, load.window_close_ns)


def alone(others: OthersRecord) -> RequestArray:
    """Those that were wanted before any stream, but for the edges of that time."""
    span_ns = others.streams_begin_ns - others.begin_ns
    return _wanted(others, others.begin_ns + _ALONE_FROM * span_ns, others.begin_ns + _ALONE_TO * span_ns)


def answered(requests: RequestArray) -> npt.NDArray[np.bool_]:
    """Which of them have their verified answer."""
    found: npt.NDArray[np.bool_] = requests[:, COLUMN["outcome"]] == Outcome.VERIFIED
    return found


def waits_ns(requests: RequestArray, others: OthersRecord) -> Nanoseconds:
    """From when each was wanted to the end of its response; the whole patience of one without an answer.

    However it failed: an error that comes soon is no fast answer.
    """
    waited = requests[:, COLUMN["last_ns"]] - requests[:, COLUMN["intended_ns"]]
    found: Nanoseconds = np.where(answered(requests), waited, others.patience_ns)
    return found


def _wanted(others: OthersRecord, begin_ns: float, end_ns: float) -> RequestArray:
    intended = others.requests[:, COLUMN["intended_ns"]]
    found: RequestArray = others.requests[(intended >= begin_ns) & (intended < end_ns)]
    return found


def _longest_silence_ns(load: LoadRecord, others: OthersRecord) -> float | None:
    """The longest time inside the window for which somebody waited and nobody was answered.

    From when one was wanted to the next answer that anybody got, or the window's end: whoever is given up
    meanwhile makes it no shorter. Of several workers the ends may be of different ones, whose clocks are not
    compared where the difference is not known.
    """
    wanted = beside_streams(load, others)[:, COLUMN["intended_ns"]]
    if not wanted.size or any(share.offset_bound_ns is None for share in load.workers):
        return None
    ends = np.sort(others.requests[answered(others.requests), COLUMN["last_ns"]])
    ends = np.append(ends, load.window_close_ns)
    following = ends[np.searchsorted(ends[:-1], wanted)]
    return float((np.minimum(following, load.window_close_ns) - wanted).max())
