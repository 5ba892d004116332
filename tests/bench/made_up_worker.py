"""A load process that makes its records up, one for each user of a trial, and hands over by the real code.

Run as `scenarios.workers.worker` is.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from time import monotonic_ns
from typing import Any

import gevent
import numpy as np

from results.records import COLUMN, MISSING, REQUEST_FIELDS, Outcome
from scenarios.specification import Download, TrialSpecification
from scenarios.workers import worker as real

#: A kernel clock that moves is corrected for in each record, as in any real trial.
_DRIFT_NS = 1000
_APART_NS = 30_000


def made_up(
    environment: object,
    crowd: object,
    specification: TrialSpecification,
    polls: object,
    *,
    begin_ns: int | None = None,
    worker: int = 0,
) -> tuple[dict[str, Any], bytearray]:
    """What `scenarios.trial.run_trial` would have handed over, at once; ``user`` numbers the records."""
    assert isinstance(specification.load, Download)
    assert begin_ns is not None
    records = specification.load.users
    window_ns = round(specification.window_s * 1e9)
    while (left_ns := begin_ns - monotonic_ns()) > 0:  # until then all workers hear of it, as in a real trial
        gevent.sleep(left_ns / 1e9)
    packed = bytearray(_records(records, worker, begin_ns // 10**12))
    answer = {
        "worker": worker,
        "window_open_ns": begin_ns,
        "window_close_ns": begin_ns + window_ns,
        "drained_ns": monotonic_ns(),
        "issued": records,
        "recorded": records,
        "errors": {},
        "client_cpu_ns": window_ns // 2,
        "client_wall_ns": window_ns,
        "client_scheduling": "SCHED_OTHER",
        "clock_begun_ns": begin_ns,
        "clock_drift_ns": _DRIFT_NS,
        "clock_span_ns": window_ns,
        "clock_bend_ns": 0,
        "others": None,
    }
    return answer, packed


@lru_cache(maxsize=2)
def _records(count: int, worker: int, since_ks: int) -> bytes:
    """As a real trial's: in the order in which they ended, which lie between those of other workers."""
    made = np.zeros((count, len(REQUEST_FIELDS)), dtype="<i8")
    sent = since_ks * 10**12 + np.arange(count) * _APART_NS + worker * 7
    made[:, COLUMN["worker"]] = worker
    made[:, COLUMN["user"]] = np.arange(count)
    made[:, COLUMN["intended_ns"]] = MISSING
    made[:, COLUMN["sent_ns"]] = sent
    for later, name in enumerate(("headers_ns", "first_body_ns", "first_row_ns", "last_ns"), start=1):
        made[:, COLUMN[name]] = sent + later * 1000
    made[:, COLUMN["status"]] = 200
    made[:, COLUMN["outcome"]] = Outcome.VERIFIED
    return made.tobytes()


if __name__ == "__main__":
    vars(real)["run_trial"] = made_up
    sys.exit(real.main())
