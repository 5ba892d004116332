"""The client's own error from what it and the reference server recorded, and what it is for a figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from results.calibration import Answers, CalibrationPoint, ServerTruth
from results.case import Case
from results.errors import MeasurementError
from results.metrics import FIGURES, Figure, Unit
from results.records import COLUMN, MISSING, LoadRecord, Outcome, RequestArray
from results.run import Run

#: A quantile of fewer requests says little, and a p95 of fewer nothing.
FEWEST_REQUESTS = 20
#: Figures that are no durations of single requests, but lie between instants of different ones.
OF_SEVERAL_CLOCKS = frozenset({"worker_held"})


class TruthMismatch(MeasurementError):  # noqa: N818  - named for what happened
    """The client's records and the reference server's are not of the same requests."""


class TooFewRequests(MeasurementError):  # noqa: N818  - named for what happened
    """The client did not get round to asking often enough for a quantile."""


def calibration_point(users: int, answers: Answers, load: LoadRecord, truth: ServerTruth) -> CalibrationPoint:
    """The client's error over the requests that were sent inside the window.

    Raises TruthMismatch, TooFewRequests, and MeasurementError when a response failed.
    """
    failed = int((load.requests[:, COLUMN["outcome"]] != Outcome.VERIFIED).sum())
    if failed:
        text, count = max(load.errors.items(), key=lambda item: item[1])
        raise MeasurementError(
            f"the client cannot be calibrated with {users} users: {failed} of {len(load.requests)} responses "
            f"of the reference server failed; {count} times: {text}. Ask with fewer users"
        )
    requests, order = joined(load.requests, truth)
    sent = requests[:, COLUMN["sent_ns"]]
    inside = (sent >= load.window_open_ns) & (sent < load.window_close_ns)
    count = int(inside.sum())
    if count < FEWEST_REQUESTS:
        raise TooFewRequests(
            f"the client cannot be calibrated with {users} users: only {count} requests were sent inside the "
            f"window, {FEWEST_REQUESTS} are needed. The machine is too busy: end what else runs, or ask with "
            "fewer users"
        )
    before = truth.first_before_ns[order][inside]
    first = requests[inside, COLUMN["first_body_ns"]]
    lag = requests[inside, COLUMN["client_lag_ns"]]
    bound = requests[inside, COLUMN["stamp_error_ns"]]
    stamped = bool((lag != MISSING).all())
    error = np.abs(first - before)
    loop_error = np.abs(first + np.maximum(lag, 0) - before)
    return CalibrationPoint(
        users=users,
        answers=answers,
        requests=count,
        stamped=stamped,
        error_p50_ns=_quantile(error, 0.5),
        error_p95_ns=_quantile(error, 0.95),
        error_p99_ns=_quantile(error, 0.99),
        error_max_ns=float(error.max()),
        loop_error_p50_ns=_quantile(loop_error, 0.5),
        loop_error_p95_ns=_quantile(loop_error, 0.95),
        lag_p99_ns=_quantile(lag, 0.99) if stamped else None,
        stamp_error_p99_ns=_quantile(bound, 0.99) if stamped else None,
        client_cpu=load.client_cpu_ns / load.client_wall_ns,
    )


def joined(requests: RequestArray, truth: ServerTruth) -> tuple[RequestArray, npt.NDArray[np.intp]]:
    """The client's requests ordered by connection and turn, and the order that puts the truth beside them.

    The client's turns are its requests on a connection by the instant that they were sent. Raises
    TruthMismatch when a request is on one side only, or was received before it was sent.
    """
    sent, ports = requests[:, COLUMN["sent_ns"]], requests[:, COLUMN["connection"]]
    ours = requests[np.lexsort((sent, ports))]
    theirs = np.lexsort((truth.turn, truth.connection))
    if len(ours) != len(theirs):
        raise TruthMismatch(_unlike(f"the client recorded {len(ours)}, and the server {len(theirs)}"))
    ports, turns = ours[:, COLUMN["connection"]], np.zeros(len(ours), dtype=np.int64)
    for port in np.unique(ports):
        of_port = ports == port
        turns[of_port] = np.arange(of_port.sum())
    other = (ports != truth.connection[theirs]) | (turns != truth.turn[theirs])
    if other.any():
        at = int(np.argmax(other))
        raise TruthMismatch(
            _unlike(
                f"the client's request {turns[at]} from port {ports[at]} stands where the server has request "
                f"{truth.turn[theirs][at]} from port {truth.connection[theirs][at]}"
            )
        )
    early = truth.received_ns[theirs] < ours[:, COLUMN["sent_ns"]]
    if early.any():
        at = int(np.argmax(early))
        raise TruthMismatch(
            _unlike(f"request {turns[at]} from port {ports[at]} was received before it was sent")
        )
    return ours, theirs


def error_of(run: Run, figure: Figure, case: Case) -> float | None:
    """The load side's error (ns) for a figure of a case: no smaller difference is called better or worse.

    The client's own, from the run's calibration; of a figure that joins instants of several load processes,
    what their clocks leave open: each end may be off by the largest bound.
    """
    if figure.name in OF_SEVERAL_CLOCKS:
        bounds = [share.offset_bound_ns or 0 for trial in run.trials for share in trial.workers]
        return 2.0 * max(bounds, default=0) or None
    return client_error_of(run.calibration, figure, case)


def client_error_of(calibration: Sequence[CalibrationPoint], figure: Figure, case: Case) -> float | None:
    """The client's own error (ns) for a figure of a case.

    That of the point with the fewest users that are at least the case's, else with the most; the larger one
    where there are several. Of several load processes the worst one's: each has a part of the users, which
    asks for no smaller an error. None for a figure that is no time over a trial's requests, and without a
    calibration.
    """
    if figure.unit is not Unit.NANOSECONDS or figure.quantile is None or not calibration:
        return None
    users = case.parameters.get("users")
    by_worker: dict[int, list[CalibrationPoint]] = {}
    for point in calibration:
        by_worker.setdefault(point.worker, []).append(point)
    return max(
        _at(point, figure.quantile)
        for points in by_worker.values()
        for point in _fitting(points, users if isinstance(users, int) else None)
    )


def _fitting(points: Sequence[CalibrationPoint], users: int | None) -> list[CalibrationPoint]:
    """Those of one worker that stand for so many users."""
    most = max(point.users for point in points)
    asked = most if users is None else min(users, most)
    chosen = min(point.users for point in points if point.users >= asked)
    return [point for point in points if point.users == chosen]


def greatest_error_ns(run: Run) -> float | None:
    """The client's error of a median TTFB, of the case where it is greatest; None without a calibration."""
    errors = [error_of(run, FIGURES["ttfb_p50"], case) for case in run.header.cases]
    return max((error for error in errors if error is not None), default=None)


def _at(point: CalibrationPoint, quantile: float) -> float:
    """The error's quantile that is at least this one."""
    if quantile <= 0.5:
        return point.error_p50_ns
    return point.error_p95_ns if quantile <= 0.95 else point.error_p99_ns


def _quantile(values: npt.NDArray[np.int64], quantile: float) -> float:
    return float(np.quantile(values, quantile))


def _unlike(what: str) -> str:
    return (
        f"the client and the reference server do not tell of the same requests: {what}. The client's error "
        "cannot be told; calibrate again, and if it comes again, it is a fault of streamgauge"
    )
