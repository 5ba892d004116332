"""The peak of a server tree's PSS in one trial, where the samples of its warm-up can show it."""

from __future__ import annotations

import numpy as np

from results.records import AS_PLANNED, COLUMN, LoadRecord, ServerRecord


def tree_pss_bytes(load: LoadRecord, server: ServerRecord) -> int | None:
    """The largest sampled sum of PSS over the tree, in bytes; None where it would not be the peak."""
    if why_untold(load, server) is not None:
        return None
    return max(sample.pss_bytes for sample in server.pss_samples)


def why_untold(load: LoadRecord, server: ServerRecord) -> str | None:
    """Why the samples cannot show the peak; None when they can.

    The window is not sampled: a warm-up in which no response was completed has not shown it.
    """
    if not server.processes or not server.pss_samples:
        return server.pss_method
    # of one that was hung up, the hang-up is the end
    verified = np.isin(load.requests[:, COLUMN["outcome"]], [*AS_PLANNED])
    if not (load.requests[verified, COLUMN["last_ns"]] < load.window_open_ns).any():
        return "not told: no response was completed within the warm-up; make it longer than a response takes"
    begun_ns = load.requests[verified, COLUMN["sent_ns"]].min()
    if not any(begun_ns <= sample.at_ns < load.window_open_ns for sample in server.pss_samples):
        return "not told: there was no time for a reading in the warm-up; make it longer"
    return None
