"""What a traced trial shows: the app's yields and the client's reads, joined on the one clock."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from results.records import COLUMN, MISSING, MemorySample, RequestArray
from results.run import Run
from results.trace import TRACED_FIGURES, LedgerRecord, PointArray, Trace, TracedRequest, Waterfall

MOST_POINTS = 20_000
#: A chunk that arrives later than this after its yield, and after the next one, was held back.
HEALTHY_LAG_NS = 1_000_000
#: Up to this share of held chunks a response streams; from the rest on it is held to the end.
FEW = 0.05

Nanoseconds = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Joined:
    """One request from both sides. ``request`` is its row by REQUEST_FIELDS.

    ``reads`` has the shape (reads, 3): arrival (CLOCK_MONOTONIC ns), bytes so far, and by how much (ns) they
    may have arrived earlier, MISSING where nobody knows. The bytes are those that the app yielded: of the
    content, or of the body as it is on the wire where the app itself encodes it.
    """

    number: int
    request: RequestArray
    reads: PointArray
    ledger: LedgerRecord

    def instant(self, name: str) -> int | None:
        """One of the client's instants, null when it did not happen."""
        value = int(self.request[COLUMN[name]])
        return None if value == MISSING else value

    @property
    def span_ns(self) -> int:
        """``last`` - ``sent``."""
        return int(self.request[COLUMN["last_ns"]] - self.request[COLUMN["sent_ns"]])


def joined(
    requests: RequestArray,
    reads: Sequence[PointArray],
    records: Sequence[LedgerRecord],
    wire_reads: Sequence[PointArray] | None = None,
) -> list[Joined]:
    """The client's requests, each with the one ledger record that began while it was under way.

    ``reads`` are of the content, ``wire_reads`` of the body as it is on the wire (by default the same).
    Several records (of somebody else's requests) are told apart by the client's port. Requests without
    exactly one record are left out.
    """
    found = []
    for number, (request, points, wire) in enumerate(zip(requests, reads, wire_reads or reads, strict=True)):
        sent, last, port = (int(request[COLUMN[name]]) for name in ("sent_ns", "last_ns", "connection"))
        inside = [record for record in records if sent <= record.began_ns <= last]
        if len(inside) > 1:
            inside = [record for record in inside if record.remote_port == port]
        if len(inside) == 1:
            yielded = inside[0].yields[:, 1].sum()
            encoded = len(wire) and wire[-1, 1] == yielded
            found.append(Joined(number, request, wire if encoded else points, inside[0]))
    return found


@dataclass(frozen=True, slots=True)
class Lags:
    """How late each chunk arrived, one element a non-empty yield, ns.

    ``yielded`` is its instant, ``most`` the arrival of its last byte less that instant. The kernel keeps the
    later stamp of what nobody has read yet: the true lag lies between ``least`` and ``most``.
    """

    yielded: Nanoseconds
    most: Nanoseconds
    least: Nanoseconds


def delivery_lags(yields: PointArray, reads: PointArray) -> Lags | None:
    """The lags of one request's chunks; None where the sizes do not add up.

    ``yields`` has the shape (yields, 2): instant, size; ``reads`` is as in `Joined`. Sizes do not add up
    where something between has re-encoded the body.
    """
    delivering = yields[yields[:, 1] > 0]
    sent_bytes = np.cumsum(delivering[:, 1])
    if not len(sent_bytes) or not len(reads) or sent_bytes[-1] != reads[-1, 1]:
        return None
    arrival = reads[np.searchsorted(reads[:, 1], sent_bytes)]
    yielded = delivering[:, 0]
    most = arrival[:, 0] - yielded
    # No chunk arrives before it is yielded, whatever the bound of its stamp allows.
    least = np.minimum(np.maximum(most - np.maximum(arrival[:, 2], 0), 0), most)
    return Lags(yielded, most, least)


@dataclass(frozen=True, slots=True)
class Held:
    """Shares (0 to 1) of a response's chunks that were held back, of those of which that can be told.

    ``least`` and ``most`` bound the share; ``to_end`` is the share that is sure to have been held until the
    last chunk was yielded.
    """

    least: float
    most: float
    to_end: float


def held_shares(lags: Lags) -> Held | None:
    """A chunk was held when it arrived more than HEALTHY_LAG_NS after its yield and after the next one.

    Slow transport alone is no holding; what a late client leaves open lies between the bounds. Of a chunk
    that is yielded so shortly before the last one nothing can be told: held to the end, it would not be
    late either. None where there is no other.
    """
    yielded = lags.yielded
    told = int(np.searchsorted(yielded, yielded[-1] - HEALTHY_LAG_NS)) if len(yielded) else 0
    if not told:
        return None

    def arrived_after(instants: Nanoseconds, lag: Nanoseconds) -> npt.NDArray[np.bool_]:
        after: npt.NDArray[np.bool_] = (lag > HEALTHY_LAG_NS) & (yielded[:told] + lag >= instants)
        return after

    return Held(
        least=float(arrived_after(yielded[1 : told + 1], lags.least[:told]).mean()),
        most=float(arrived_after(yielded[1 : told + 1], lags.most[:told]).mean()),
        to_end=float(arrived_after(yielded[-1:], lags.least[:told]).mean()),
    )


def delivery(figures: Mapping[str, float | None]) -> str | None:
    """How the response was delivered, in words; None where there is nothing to tell (one chunk, no lags)."""
    least, most, to_end = (figures.get(name) for name in ("held", "held_at_most", "held_to_end"))
    if least is None or most is None or to_end is None:
        return None
    if to_end >= 1 - FEW:
        return "held to the end"
    if least > FEW:
        return "partly held"
    return "streams" if most <= FEW else "cannot tell"


def traced_request(item: Joined, samples: Sequence[MemorySample]) -> TracedRequest:
    """One request's record; ``samples`` is the sampled RSS of the whole trial."""
    growth, missed = _memory(item.ledger, samples)
    ledger = item.ledger
    return TracedRequest(
        number=item.number,
        sent_ns=int(item.request[COLUMN["sent_ns"]]),
        first_body_ns=item.instant("first_body_ns"),
        first_row_ns=item.instant("first_row_ns"),
        last_ns=int(item.request[COLUMN["last_ns"]]),
        body_bytes=int(item.request[COLUMN["body_bytes"]]),
        reads=len(item.reads),
        pid=ledger.pid,
        began_ns=ledger.began_ns,
        ended_ns=ledger.ended_ns,
        closed_ns=ledger.closed_ns,
        ending=ledger.ending,
        yields=len(ledger.yields),
        yielded_bytes=int(ledger.yields[:, 1].sum()),
        memory_growth_bytes=growth,
        peak_missed_bytes=missed,
    )


def figures_of_trace(items: Sequence[Joined], requests: Sequence[TracedRequest]) -> dict[str, float | None]:
    """Every figure of TRACED_FIGURES; ``requests`` are the records of ``items``, the warm-up first.

    All but the greatest memory growth and the greatest missed peak are without the warm-up: what its
    allocator kept would hide the growth of the later requests.
    """
    figures: dict[str, float | None] = dict.fromkeys(TRACED_FIGURES)
    timed = [item for item in items if item.number]
    later = [request for request in requests if request.number]
    sizes = np.concatenate([item.ledger.yields[:, 1] for item in timed])
    figures["yields"] = statistics.median(request.yields for request in later)
    figures["chunk"] = float(np.median(sizes[sizes > 0])) if (sizes > 0).any() else None
    figures |= _delivery_figures(timed)
    figures["first_row_share"] = _median(later, _first_row_share)
    figures["close_lag"] = _median(later, lambda r: None if r.closed_ns is None else r.closed_ns - r.last_ns)
    figures["memory_growth_p50"] = _median(later, lambda r: r.memory_growth_bytes)
    figures["memory_growth_max"] = max(_known(r.memory_growth_bytes for r in requests), default=None)
    figures["request_peak_missed"] = max(_known(r.peak_missed_bytes for r in requests), default=None)
    figures["traced_ttfb_p50"] = _median(
        later, lambda r: None if r.first_body_ns is None else r.first_body_ns - r.sent_ns
    )
    figures["traced_ttlb_p50"] = _median(later, lambda r: r.last_ns - r.sent_ns)
    return figures


def note_of(items: Sequence[Joined]) -> str | None:
    """What the figures of these requests cannot show, null when nothing is amiss."""
    notes = []
    for item in items:
        yielded = int(item.ledger.yields[:, 1].sum())
        received = int(item.reads[-1, 1]) if len(item.reads) else 0
        if yielded != received:
            notes.append(
                f"no lags: the app yielded {yielded:,} bytes and {received:,} arrived, so something between "
                "re-encodes the body (does it compress?)"
            )
            break
    if any(item.ledger.sendfile_lost for item in items):
        notes.append("the body is a wsgi.file_wrapper: iterated here, where timed trials may use sendfile")
    return "; ".join(notes) or None


def waterfall_of(items: Sequence[Joined]) -> Waterfall:
    """The points of the request with the median ttlb, the warm-up left out."""
    timed = sorted((item for item in items if item.number), key=lambda item: item.span_ns)
    chosen = timed[(len(timed) - 1) // 2]
    yields = chosen.ledger.yields.copy()
    yields[:, 1] = np.cumsum(yields[:, 1])
    sent = int(chosen.request[COLUMN["sent_ns"]])
    return Waterfall(chosen.number, thinned(yields, sent), thinned(chosen.reads, sent))


def thinned(points: PointArray, origin_ns: int) -> PointArray:
    """(instant, bytes, ...) as (number, ns since origin, bytes, ...), evenly thinned to MOST_POINTS."""
    kept = np.arange(len(points))
    if len(points) > MOST_POINTS:
        kept = np.rint(np.linspace(0, len(points) - 1, MOST_POINTS)).astype(np.int64)
    return np.column_stack([kept, points[kept, 0] - origin_ns, points[kept, 1:]])


def tracing_cost(run: Run, trace: Trace, metric: str) -> float | None:
    """The traced requests' median ``ttfb`` or ``ttlb`` over that of the case's timed trials.

    None where the timed trials had more than one user, or have no such figure.
    """
    case = next((case for case in run.header.cases if case.identity == trace.case), None)
    traced = trace.figures.get(f"traced_{metric}_p50")
    timed = list(
        _known(
            trial.figures.get(f"{metric}_p50")
            for trial in run.trials
            if trial.slot.case == trace.case and trial.reason is None
        )
    )
    if case is None or case.parameters.get("users") != 1 or traced is None or not timed:
        return None
    return traced / statistics.median(timed)


def _delivery_figures(items: Sequence[Joined]) -> dict[str, float | None]:
    known = [lags for item in items if (lags := delivery_lags(item.ledger.yields, item.reads)) is not None]
    if len(known) < len(items):
        return {}
    figures: dict[str, float | None] = {}
    most = np.concatenate([lags.most for lags in known])
    errors = most - np.concatenate([lags.least for lags in known])
    figures["delivery_lag_p50"] = float(np.quantile(most, 0.5))
    figures["delivery_lag_p95"] = float(np.quantile(most, 0.95))
    figures["delivery_lag_max"] = float(most.max())
    figures["delivery_lag_error_p95"] = float(np.quantile(errors, 0.95))
    held = [shares for lags in known if (shares := held_shares(lags)) is not None]
    if held:
        figures["held"] = statistics.median(shares.least for shares in held)
        figures["held_at_most"] = statistics.median(shares.most for shares in held)
        figures["held_to_end"] = statistics.median(shares.to_end for shares in held)
    return figures


def _memory(ledger: LedgerRecord, samples: Sequence[MemorySample]) -> tuple[int | None, int | None]:
    """The exact growth of the process within the request, and the part that sampling did not see."""
    rss, hwm = ledger.rss_at_begin_bytes, ledger.hwm_bytes
    if rss is None or hwm is None or ledger.closed_ns is None:
        return None, None
    seen = max(
        (
            s.rss_bytes
            for s in samples
            if s.pid == ledger.pid and ledger.began_ns <= s.at_ns <= ledger.closed_ns
        ),
        default=rss,
    )
    # The kernel keeps the mark by an approximate counter: a sample may lie a little above it.
    peak = max(hwm, seen)
    growth = peak - rss - ledger.own_bytes
    # What the ledger took is nothing that sampling missed of the app.
    return growth, min(peak - max(seen, rss), max(growth, 0))


def _first_row_share(request: TracedRequest) -> float | None:
    span = request.last_ns - request.sent_ns
    if request.first_row_ns is None or not span:
        return None
    return (request.first_row_ns - request.sent_ns) / span


def _median(
    requests: Sequence[TracedRequest], value: Callable[[TracedRequest], float | None]
) -> float | None:
    """The median over the requests; null unless each has a value."""
    values = list(_known(value(request) for request in requests))
    return statistics.median(values) if values and len(values) == len(requests) else None


def _known(values: Iterable[float | None]) -> Iterable[float]:
    return (value for value in values if value is not None)
