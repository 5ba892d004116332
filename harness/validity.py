"""When a trial counts: each rule that it breaks is a reason, and any reason makes it invalid, not slow."""

from __future__ import annotations

from collections.abc import Iterator

from results.records import COLUMN, LoadRecord, Outcome, RequestArray, ServerRecord

#: The load driver is one thread: above this share of its core it may have been the bottleneck.
MOST_CLIENT_CPU = 0.9
#: A window that the driver took longer over than this times its length was not the one asked for.
LONGEST_WINDOW = 1.05
MOST_STEAL = 0.1
#: How fast a disciplined clock may be slewed (adjtimex(2): 500 ppm); more is a step.
FASTEST_SLEW = 500e-6
_SLEW_GRACE_NS = 100_000


def reasons(load: LoadRecord, server: ServerRecord | None) -> list[str]:
    """Every rule that this trial breaks, in words; empty when it counts."""
    stepped = clock_step(load.clock_drift_ns, load.clock_span_ns)
    return [
        *_of_responses(load),
        *_of_load(load),
        *([stepped] if stepped else []),
        *_of_machine(server),
    ]


def _of_responses(load: LoadRecord) -> Iterator[str]:
    outcomes = load.requests[:, COLUMN["outcome"]]
    failed = int((outcomes != Outcome.VERIFIED).sum())
    if failed:
        text, count = max(load.errors.items(), key=lambda item: item[1])
        yield f"{failed} of {len(outcomes)} responses failed; {count} times: {text}"
    elif not len(_inside(load)):
        sent = load.requests[:, COLUMN["sent_ns"]]
        longest = (load.requests[:, COLUMN["last_ns"]] - sent).max(initial=0) / 1e9
        yield (
            f"no request was sent inside the window of {_window_ns(load) / 1e9:g} s: a response takes "
            f"{longest:.3g} s; make the window at least ten times as long"
        )


def _of_load(load: LoadRecord) -> Iterator[str]:
    """The load side could not keep up."""
    if load.client_wall_ns > _window_ns(load) * LONGEST_WINDOW:
        yield (
            f"the load driver was held up: its window of {_window_ns(load) / 1e9:g} s took it "
            f"{load.client_wall_ns / 1e9:.3g} s"
        )
    share = load.client_cpu_ns / load.client_wall_ns if load.client_wall_ns else 0.0
    if share > MOST_CLIENT_CPU:
        yield (
            f"the load driver used {share:.0%} of its core (more than {MOST_CLIENT_CPU:.0%}): it may have "
            "been the bottleneck; ask with fewer users, or for responses in larger chunks"
        )


def clock_step(drift_ns: int | None, span_ns: int | None) -> str | None:
    """What is to be said of a clock that was stepped, null where it was not, or nobody looked."""
    if drift_ns is None or span_ns is None or abs(drift_ns) <= FASTEST_SLEW * span_ns + _SLEW_GRACE_NS:
        return None
    return f"the system clock was stepped by {drift_ns / 1e6:.3g} ms during the trial"


def _of_machine(server: ServerRecord | None) -> Iterator[str]:
    if server is None:
        return
    if server.machine_steal is not None and server.machine_steal > MOST_STEAL:
        share = f"{server.machine_steal:.0%} of the cores' time (more than {MOST_STEAL:.0%})"
        yield f"the hypervisor took {share}"
    if server.machine_throttled_ns:
        yield f"a cgroup held the processes back for {server.machine_throttled_ns / 1e6:.3g} ms"


def _inside(load: LoadRecord) -> RequestArray:
    """The requests that were sent inside the window."""
    sent = load.requests[:, COLUMN["sent_ns"]]
    inside: RequestArray = load.requests[(sent >= load.window_open_ns) & (sent < load.window_close_ns)]
    return inside


def _window_ns(load: LoadRecord) -> int:
    return load.window_close_ns - load.window_open_ns
