"""When a trial counts: each rule that it breaks is a reason, and any reason makes it invalid, not slow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.statistics.quantiles import p_more_than
from analysis.trial.figures import inside_window
from analysis.trial.others import alone, answered, beside_streams, waits_ns
from results.faults import Fault
from results.records import AS_PLANNED, COLUMN, MISSING, LoadRecord, Outcome, ServerRecord
from results.workers import WorkerShare
from scenarios.exchange import UNASKED

#: The load driver is one thread: above this share of its core it may have been the bottleneck.
MOST_CLIENT_CPU = 0.9
#: A window that the driver took longer over than this times its length was not the one asked for.
LONGEST_WINDOW = 1.05
#: So many requests may be read or begun later than the limit, or stamped less surely: their p99 is below it.
MOST_LATE = 0.01
#: The limit: the larger of this and this share of the trial's median TTFB.
_LATE_NS = 1_000_000
_LATE_SHARE_OF_TTFB = 0.05
#: A trial of a hundred requests has one beyond its p99: so unlikely must it be that chance alone did it.
_LEVEL = 0.05
MOST_STEAL = 0.1
#: How fast a disciplined clock may be slewed (adjtimex(2): 500 ppm); more is a step.
FASTEST_SLEW = 500e-6
_SLEW_GRACE_NS = 100_000


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a trial breaks, by name and in words."""

    fault: Fault
    text: str


def told(broken: Sequence[Broken]) -> tuple[Fault | None, str | None]:
    """The worst fault, and all of them as one reason, which begins with its name; nulls without any."""
    if not broken:
        return None, None
    worst = min((item.fault for item in broken), key=list(Fault).index)
    return worst, f"{worst}: {'; '.join(item.text for item in broken)}"


def broken_rules(load: LoadRecord, server: ServerRecord | None) -> list[Broken]:
    """Every rule that this trial breaks; empty when it counts."""
    stepped = _stepped(load)
    return [
        *_of_responses(load, stepped=stepped is not None),
        *(Broken(Fault.LOAD_BEHIND, text) for text in (*_of_load(load), *_of_instants(load))),
        *_of_others(load),
        *([Broken(Fault.MACHINE_DISTURBED, stepped)] if stepped else []),
        *(Broken(Fault.MACHINE_DISTURBED, text) for text in _of_machine(load, server)),
        *(Broken(Fault.LOAD_BEHIND, text) for text in _of_watch(load, server)),
    ]


def _of_responses(load: LoadRecord, *, stepped: bool) -> Iterator[Broken]:
    failed = failures(load)
    if failed is not None:
        # a clock that is set back stamps responses before their requests: no fault of the server
        by_the_clock = stepped and UNASKED in failed
        yield Broken(Fault.MACHINE_DISTURBED if by_the_clock else _kind_of_failure(load), failed)
    elif not inside_window(load).any() and load.reading_bytes_per_second is None:
        sent = load.requests[:, COLUMN["sent_ns"]]
        longest = (load.requests[:, COLUMN["last_ns"]] - sent).max(initial=0) / 1e9
        yield Broken(
            Fault.TOO_SLOW,
            f"no request was sent inside the window of {_window_ns(load) / 1e9:g} s: a response takes "
            f"{longest:.3g} s; make the window at least ten times as long",
        )


def _kind_of_failure(load: LoadRecord) -> Fault:
    """By how most of them failed, and whether anything had come of those that took too long."""
    requests = load.requests[~np.isin(load.requests[:, COLUMN["outcome"]], [*AS_PLANNED])]
    outcomes = requests[:, COLUMN["outcome"]]
    timed_out = requests[outcomes == Outcome.TIMED_OUT]
    if 2 * len(timed_out) < len(requests):
        return Fault.RESPONSES_FAILED
    silent = (timed_out[:, COLUMN["reads"]] == 0) & (timed_out[:, COLUMN["sent_ns"]] != MISSING)
    return Fault.SERVER_HUNG if 2 * int(silent.sum()) >= len(timed_out) else Fault.TOO_SLOW


def failures(load: LoadRecord) -> str | None:
    """How many responses failed, and how most of them; null where none did."""
    outcomes = load.requests[:, COLUMN["outcome"]]
    failed = int((~np.isin(outcomes, [*AS_PLANNED])).sum())
    if not failed:
        return None
    text, count = max(load.errors.items(), key=lambda item: item[1])
    return f"{failed} of {len(outcomes)} responses failed; {count} times: {text}"


def _of_load(load: LoadRecord) -> Iterator[str]:
    """The load side could not keep up: the driver, or one of several workers."""
    walls_ns = {f"worker {share.name}": share.client_wall_ns for share in load.workers}
    for who, wall_ns in (walls_ns or {"the load driver": load.client_wall_ns}).items():
        if wall_ns > _window_ns(load) * LONGEST_WINDOW:
            yield (
                f"{who} was held up: its window of {_window_ns(load) / 1e9:g} s took it {wall_ns / 1e9:.3g} s"
            )
    for who, used in _used(load).items():
        if used > MOST_CLIENT_CPU:
            yield (
                f"{who} used {used:.0%} of its core (more than {MOST_CLIENT_CPU:.0%}): it may have been the "
                "bottleneck; ask with fewer users, at a smaller rate, or for responses in larger chunks, or "
                "use more load processes"
            )


def _used(load: LoadRecord) -> dict[str, float]:
    """The share of each core that makes load which its processes used; they may share it."""
    if not load.workers:
        return {"the load driver": load.client_cpu_ns / load.client_wall_ns if load.client_wall_ns else 0.0}
    used: dict[str, float] = {}
    names: dict[str, list[str]] = {}
    for share in load.workers:
        names.setdefault(share.place, []).append(share.name)
        cpu = share.client_cpu_ns / share.client_wall_ns if share.client_wall_ns else 0.0
        used[share.place] = used.get(share.place, 0.0) + cpu
    return {
        f"worker{'s' if len(names[place]) > 1 else ''} {' and '.join(names[place])}": cpu
        for place, cpu in used.items()
    }


def _stepped(load: LoadRecord) -> str | None:
    """What is to be said of the clocks that stamp, null where none was stepped."""
    own = clock_step(load.clock_drift_ns, load.clock_span_ns, load.clock_bend_ns)
    if not load.workers:
        return own
    for share in load.workers:
        found = clock_step(share.clock_drift_ns, share.clock_span_ns, share.clock_bend_ns)
        if found is not None:
            return f"worker {share.name}: {found}"
    return None


def _of_instants(load: LoadRecord) -> Iterator[str]:
    """The load side read late, could not tell when bytes arrived, or did not keep to its schedule."""
    inside = inside_window(load)
    first, sent = (load.requests[inside, COLUMN[name]] for name in ("first_body_ns", "sent_ns"))
    before = int(((first < sent) & (first != MISSING)).sum())
    if before:
        yield (
            f"{before} of {len(first)} first bytes came before their requests: the clock was stepped, or "
            "the server sends what nobody asked for"
        )
    ttfb = (first - sent)[first != MISSING]
    unstamped = int((load.requests[inside, COLUMN["client_lag_ns"]][first != MISSING] == MISSING).sum())
    if unstamped < len(ttfb) and p_more_than(MOST_LATE, unstamped, len(ttfb)) < _LEVEL:
        yield (
            f"{unstamped} of {len(ttfb)} first bytes have no stamp of the kernel, and the others have: "
            "nobody knows when they arrived"
        )
    limit_ns = max(_LATE_NS, _LATE_SHARE_OF_TTFB * float(np.median(ttfb)) if len(ttfb) else 0.0)
    busy = "the machine had other work; end it, or ask with fewer users or at a smaller rate"
    for field, what, remedy in (
        ("client_lag_ns", "first bytes were read more than {} after they had arrived", busy),
        ("stamp_error_ns", "first bytes may have arrived more than {} before their stamp", busy),
        (
            "late_ns",
            "scheduled requests began more than {} late",
            "make the rate smaller, or most_in_flight greater if all connections were in use",
        ),
    ):
        values = load.requests[inside, COLUMN[field]]
        values = values[values != MISSING]
        late = int((values > limit_ns).sum())
        if p_more_than(MOST_LATE, late, len(values)) < _LEVEL:
            yield (
                f"{late} of {len(values)} {what.format(f'{limit_ns / 1e6:.3g} ms')} (more than "
                f"{MOST_LATE:.0%}): the load driver could not keep up; {remedy}"
            )


def _of_others(load: LoadRecord) -> Iterator[Broken]:
    """What is asked beside the streams tells nothing when it was late by itself, or nobody answered it alone.

    That streams make it wait, or go without an answer, is what is measured.
    """
    others = load.others
    if others is None:
        return
    before = alone(others)
    unanswered = len(before) - int(answered(before).sum())
    if unanswered:
        text, _ = max(others.errors.items(), key=lambda item: item[1])
        yield Broken(
            Fault.RESPONSES_FAILED,
            f"{unanswered} of {len(before)} small requests had no answer before there was any stream: "
            f"{text}; nothing can be told of what streams cost them",
        )
    requests = beside_streams(load, others)
    if not len(before) or not len(requests):
        yield Broken(
            Fault.NOT_MEASURED,
            f"{len(before)} small requests were wanted alone and {len(requests)} beside streams: make "
            "`others` more a second, or `alone` and the window longer",
        )
        return
    limit_ns = max(_LATE_NS, _LATE_SHARE_OF_TTFB * float(np.median(waits_ns(requests, others))))
    late = int((requests[:, COLUMN["late_ns"]] > limit_ns).sum())
    if p_more_than(MOST_LATE, late, len(requests)) < _LEVEL:
        yield Broken(
            Fault.LOAD_BEHIND,
            f"{late} of {len(requests)} small requests began more than {limit_ns / 1e6:.3g} ms late (more "
            f"than {MOST_LATE:.0%}): the load driver could not keep up; ask with fewer users, or for "
            "responses in larger chunks",
        )


def clock_step(drift_ns: int | None, span_ns: int | None, bend_ns: int | None = None) -> str | None:
    """What is to be said of a clock that was stepped, null where it was not, or nobody looked.

    A step may be as small as a slew: then the clock was not where an even drift would have it at the window's
    edges (``bend_ns``), and stamps that were corrected for one are wrong by that.
    """
    if drift_ns is None or span_ns is None:
        return None
    if abs(drift_ns) > FASTEST_SLEW * span_ns + _SLEW_GRACE_NS:
        return f"the system clock was stepped by {drift_ns / 1e6:.3g} ms during the trial"
    if bend_ns is not None and bend_ns > _SLEW_GRACE_NS:
        return f"the system clock was stepped: {bend_ns / 1e6:.3g} ms off an even drift during the trial"
    return None


def _of_machine(load: LoadRecord, server: ServerRecord | None) -> Iterator[str]:
    """What was taken from the server's machine, and from those of workers."""
    taken: list[tuple[str, ServerRecord | WorkerShare]] = [] if server is None else [("", server)]
    taken += [(f"worker {share.name}: ", share) for share in load.workers]
    for whose, seen in taken:
        if seen.machine_steal is not None and seen.machine_steal > MOST_STEAL:
            share = f"{seen.machine_steal:.0%} of the cores' time (more than {MOST_STEAL:.0%})"
            yield f"{whose}the hypervisor took {share}"
        if seen.machine_throttled_ns:
            yield f"{whose}a cgroup held the processes back for {seen.machine_throttled_ns / 1e6:.3g} ms"


def _of_watch(load: LoadRecord, server: ServerRecord | None) -> Iterator[str]:
    """A reading of PSS in the window would hold up the server that is timed."""
    for sample in server.pss_samples if server else ():
        if sample.at_ns < load.window_close_ns and sample.at_ns + sample.took_ns > load.window_open_ns:
            ended_ns = sample.at_ns + sample.took_ns - load.window_open_ns
            yield f"a reading of the server's PSS reached {ended_ns / 1e6:.3g} ms into the window"


def _window_ns(load: LoadRecord) -> int:
    return load.window_close_ns - load.window_open_ns
