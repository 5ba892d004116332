"""A reader that stands still in the middle of a large stream: what it takes up, and who waits for it."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from analysis.table import amount
from harness.conformance.ending import how
from harness.conformance.subject import PATIENCE_S, Subject, Visit
from harness.conformance.wire import End
from harness.probes.memory import rss_bytes
from results.conformance.findings import Finding
from results.conformance.questions import Outcome
from results.errors import MeasurementError
from results.metrics import Unit

_PIECE_BYTES = 64 * 1024
#: 64 MiB: more than any server here holds back, and than the kernel's own buffers.
_PIECES = 1024
#: Keeps what the kernel takes on our side small, and the same everywhere.
_RECEIVE_BUFFER_BYTES = 64 * 1024
#: The app is blocked when it has yielded nothing for so long.
_STILL_S = 0.5
_POLL_EVERY_S = 0.05
_LONGEST_S = 10.0
#: How long the reader stands still: longer than uWSGI (4 s) and cheroot (10 s) wait for one.
STALL_S = 11.0
_OTHERS = 5
_OTHERS_PATIENCE_S = 1.5


def stall(subject: Subject) -> list[Finding]:
    """What the server holds, whether others are served, and what the reader gets afterwards.

    Raises MeasurementError.
    """
    alone_ns = _others(subject)
    if alone_ns is None:
        raise MeasurementError("a small request was not answered before any reader stalled")
    before = _held(subject.pid)
    with subject.visit(
        pieces=_PIECES, bytes=_PIECE_BYTES, receive_buffer_bytes=_RECEIVE_BUFFER_BYTES
    ) as visit:
        begun = time.monotonic()
        handed_over, peak = _settle(visit, subject.pid)
        meanwhile_ns = _others(subject)
        time.sleep(max(0.0, begun + STALL_S - time.monotonic()))
        rest = _read_on(visit)
    return [_buffer(handed_over, before, peak), _served(alone_ns, meanwhile_ns), rest]


@dataclass(frozen=True, slots=True)
class _Held:
    """Of the whole tree: resident memory, and what lies in files that have no name any more."""

    rss_bytes: int
    file_bytes: int


def _held(pid: int) -> _Held:
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
        return _Held(sum(map(rss_bytes, tree)), sum(_unnamed_bytes(process.pid) for process in tree))
    except (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError) as error:
        raise MeasurementError("a process of the server ended while a reader stood still") from error


def _unnamed_bytes(pid: int) -> int:
    """The size of the nameless files that a process holds open (proc(5), /proc/pid/fd); 0 without /proc."""
    folder = Path(f"/proc/{pid}/fd")
    if not folder.exists():
        return 0
    total = 0
    for link in list(folder.iterdir()):
        try:
            target = str(link.readlink())
            # a gunicorn worker's heartbeat is such a file too, and an empty one
            if target.startswith("/") and target.endswith(" (deleted)"):
                total += link.stat().st_size
        except FileNotFoundError:  # closed between two looks
            continue
    return total


def _settle(visit: Visit, pid: int) -> tuple[int, _Held]:
    """The bytes that the app could hand over, and the most that the server held until it yielded no more."""
    peak = _held(pid)
    handed_over, since = 0, time.monotonic()
    deadline = since + _LONGEST_S
    while time.monotonic() < since + _STILL_S:
        if time.monotonic() > deadline:
            raise MeasurementError(
                f"the app still yields after {_LONGEST_S:g} s, {handed_over} bytes in; is the machine busy?"
            )
        time.sleep(_POLL_EVERY_S)
        now = visit.account.handed_over_bytes
        if now != handed_over or not now:
            handed_over, since = now, time.monotonic()
        held = _held(pid)
        peak = _Held(max(peak.rss_bytes, held.rss_bytes), max(peak.file_bytes, held.file_bytes))
    return handed_over, peak


def _others(subject: Subject) -> float | None:
    """The median time of some small requests (ns), None where the first is not answered."""
    times = []
    for _ in range(_OTHERS):
        took_ns = subject.answer_time_ns(_OTHERS_PATIENCE_S)
        if took_ns is None:
            return None
        times.append(took_ns)
    return statistics.median(times)


def _buffer(handed_over: int, before: _Held, peak: _Held) -> Finding:
    all_bytes = _PIECES * _PIECE_BYTES
    rss, in_file = peak.rss_bytes - before.rss_bytes, peak.file_bytes - before.file_bytes
    figures = f"{amount(handed_over, Unit.BYTES)}, RSS +{amount(max(rss, 0), Unit.BYTES)}"
    if in_file > 0:
        figures += f", file {amount(in_file, Unit.BYTES)}"
    return Finding(
        "stall.buffer",
        Outcome.TAKES_ALL if handed_over == all_bytes else Outcome.BLOCKS,
        note="in a file" if in_file > _PIECE_BYTES else "",
        figures=figures,
        evidence={"handed_over_bytes": handed_over, "rss_growth_bytes": rss, "file_bytes": in_file},
    )


def _served(alone_ns: float, meanwhile_ns: float | None) -> Finding:
    evidence = {"alone_p50_ns": alone_ns, "meanwhile_p50_ns": meanwhile_ns}
    if meanwhile_ns is None:
        return Finding("stall.others", Outcome.WAITS, evidence=evidence)
    alone, meanwhile = (amount(value, Unit.NANOSECONDS) for value in (alone_ns, meanwhile_ns))
    return Finding("stall.others", Outcome.SERVED, figures=f"{meanwhile}, alone {alone}", evidence=evidence)


def _read_on(visit: Visit) -> Finding:
    """What the reader gets when it reads on."""
    response = visit.read(PATIENCE_S)
    got = len(response.body)
    evidence = {"body_bytes": got, "stalled_s": STALL_S}
    if got == _PIECES * _PIECE_BYTES and response.whole:
        return Finding("stall.rest", Outcome.WHOLE, evidence=evidence)
    if response.end is End.QUIET:
        raise MeasurementError(f"a reader that read on after {STALL_S:g} s got no more than {got} bytes")
    outcome = Outcome.SILENT if response.whole else Outcome.CUT_OFF
    return Finding(
        "stall.rest", outcome, note=how(response), figures=amount(got, Unit.BYTES), evidence=evidence
    )
