"""Which pictures a run has the data for; of the others, why they are left out.

It reads the store trial by trial: of a run with a million requests, no more than one case's are in memory.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.buffers.families import Family
from analysis.findings import CaseFinding, Findings
from analysis.growth import soaked_trials
from analysis.plots import block_ratios as ratios
from analysis.plots import buffer_curves as curves
from analysis.plots import heat_map as heat
from analysis.plots.drawing import CONTROL, LOOKS, WHOLE, Look
from analysis.plots.first_bytes import Distribution, distribution, first_bytes
from analysis.plots.memory_size import memory_over_size
from analysis.plots.memory_time import Growth, memory_over_time
from analysis.plots.picture import Absent, Picture
from analysis.plots.soak import Window, memory_over_a_soak
from analysis.plots.waterfall import Fall, waterfall
from analysis.report.choices import Choice, streams_of
from analysis.report.others_pictures import others_pictures
from analysis.report.servers import SERVER_KEYS, server_names
from analysis.summary import labels, pairs_by_block, valid_by_block
from results.case import Case
from results.run import Run, TrialSummary
from results.store import Store
from results.trace import Trace

#: More pictures of one kind than this nobody looks at; the table has everything.
_MOST_ALIKE = 6
#: More curves than this cannot be told apart: one for each look.
_MOST_CURVES = len(LOOKS)


@dataclass(frozen=True, slots=True)
class Source:
    """What pictures are made from."""

    run: Run
    findings: Findings
    choices: Sequence[Choice]
    traces: Sequence[Trace]
    store: Store


def pictures(source: Source) -> list[Picture | Absent]:
    """All pictures in the order of reading."""
    kinds: Sequence[tuple[str, Callable[[Source], Iterator[Picture]], str]] = (
        (
            "The waterfall of a response",
            _waterfalls,
            "no case has a traced trial with its reads and yields",
        ),
        (
            "The buffer curves",
            _buffer_curves,
            (
                "the suite varies no buffer (two values of rows, bytes, events, n or another number), a "
                "value of it has no valid trial, or its responses are neither chunked nor traced"
            ),
        ),
        ("TTFB of single requests", _first_bytes, "no valid trial holds a request with a first byte"),
        (
            "What others waited",
            _others,
            "nobody asks small requests beside its responses (the suites `mixed` and `slow-reader` do)",
        ),
        (
            "Memory over time",
            _memory_over_time,
            "the memory of its valid trials was not sampled, or the kernel keeps no high-water mark",
        ),
        (
            "Memory over a long window",
            _memory_over_a_soak,
            "no case of it is a soak (the suite `soak` has some)",
        ),
        (
            "Peak memory over response size",
            _memory_over_size,
            "it takes four lengths of one response, and this suite has fewer (the suite `memory` has them)",
        ),
        (
            "Ratios, block by block",
            _block_ratios,
            "no two blocks have valid trials of a stream and its whole form",
        ),
        (
            "Servers by buffers",
            _heat_maps,
            "the suite has one server only, no buffer that several serve, or no block with a ratio of one",
        ),
    )
    found: list[Picture | Absent] = []
    for title, draw, reason in kinds:
        made = list(draw(source))
        found += made or [Absent(title, reason)]
        if len(made) == _MOST_ALIKE:
            found.append(
                Absent(f"More of: {title}", f"{_MOST_ALIKE} of one kind are drawn; the table has the others")
            )
    return found


def _waterfalls(source: Source) -> Iterator[Picture]:
    traced = {trace.case for trace in source.traces if trace.reason is None}
    shown = [item for item in source.choices if item.stream.summary.case.identity in traced]
    for number, choice in enumerate(shown[:_MOST_ALIKE]):
        streamed, whole = (_fall(source.store, case) for case in (choice.stream, choice.whole))
        if streamed is not None:
            title = f"When the bytes of {streamed.name} arrived"
            yield waterfall(f"waterfall-{number + 1}", title, whole, streamed)


def _fall(store: Store, case: CaseFinding) -> Fall | None:
    trace = store.trace(case.summary.case.identity)
    if trace is None or trace.waterfall is None:
        return None
    fall = trace.waterfall
    if not len(fall.reads) or not len(fall.yields):
        return None
    return Fall(case.summary.label, fall, trace.note)


def _buffer_curves(source: Source) -> Iterator[Picture]:
    shown = [item for item in source.choices if item.recommendation is not None]
    for number, choice in enumerate(shown[:_MOST_ALIKE]):
        family = choice.recommendation.family if choice.recommendation else None
        assert family is not None  # noqa: S101
        chunks, seen = _chunks(family, source.traces)
        points = [
            curves.Point(
                name=size.name,
                chunk_bytes=chunk,
                values=_values(source.run, size.case),
                recommended=choice.recommended and size.case.identity == choice.stream.summary.case.identity,
            )
            for size, chunk in zip(family.sizes, chunks, strict=True)
            if chunk
        ]
        whole = _values(source.run, choice.whole.summary.case)
        if (
            len(points) == len(family.sizes)
            and len({point.chunk_bytes for point in points}) > 1
            and any(whole[name] and all(point.values[name] for point in points) for name in curves.DRAWN)
        ):
            title = f"What the buffer {family.knob} does to {family.label}"
            yield curves.buffer_curves(f"buffers-{number + 1}", title, points, whole, seen)


def _chunks(family: Family, traces: Sequence[Trace]) -> tuple[Sequence[float | None], curves.Seen]:
    """The bytes of a chunk of each size, and where they were seen.

    A response that has its length is not chunked, and of one that something cuts anew all chunks may be
    alike: what the app yields, its traced trial saw.
    """
    on_the_wire = [size.median_chunk_bytes for size in family.sizes]
    if all(on_the_wire) and len(set(on_the_wire)) > 1:
        return on_the_wire, curves.Seen.ON_THE_WIRE
    yielded = {trace.case: trace.figures.get("chunk") for trace in traces}
    return [yielded.get(size.case.identity) for size in family.sizes], curves.Seen.YIELDED


def _values(run: Run, case: Case) -> Mapping[str, Sequence[float]]:
    trials = valid_by_block(run, case.identity).values()
    return {
        name: [value for trial in trials if (value := trial.figures.get(name)) is not None]
        for name in curves.DRAWN
    }


def _first_bytes(source: Source) -> Iterator[Picture]:
    for number, whole in enumerate(_wholes(source)[:_MOST_ALIKE]):
        shown = [(whole, WHOLE), *_with_looks(source, whole)]
        found = [
            (case.summary.label, look, curve)
            for case, look in shown
            if (curve := _distribution(source, case)) is not None
        ]
        if found:
            title = f"TTFB of single requests: {whole.summary.label} and its streams"
            yield first_bytes(f"first-bytes-{number + 1}", title, found)


def _distribution(source: Source, case: CaseFinding) -> Distribution | None:
    trials = valid_by_block(source.run, case.summary.case.identity).values()
    pieces = [source.store.first_bytes(trial.slot.position) for trial in trials]
    return distribution(np.concatenate(pieces)) if pieces else None


def _others(source: Source) -> Iterator[Picture]:
    return others_pictures(source.run, source.choices, source.store, _MOST_ALIKE)


def _memory_over_time(source: Source) -> Iterator[Picture]:
    for number, choice in enumerate(source.choices[:_MOST_ALIKE]):
        streamed, whole = (_growth(source, case) for case in (choice.stream, choice.whole))
        if streamed is not None:
            title = f"Memory of the worker over one trial: {streamed.name}"
            yield memory_over_time(f"memory-{number + 1}", title, whole, streamed)


def _growth(source: Source, case: CaseFinding) -> Growth | None:
    """That of the trial with the median peak."""
    trials = [
        (peak, trial)
        for trial in valid_by_block(source.run, case.summary.case.identity).values()
        if (peak := trial.figures.get("peak_memory")) is not None
    ]
    if not trials:
        return None
    middle = statistics.median_low(peak for peak, _ in trials)
    trial = next(trial for peak, trial in trials if peak == middle)
    return _of_trial(source.store, trial, case.summary.label)


def _of_trial(store: Store, trial: TrialSummary, name: str) -> Growth | None:
    processes = store.processes(trial.slot.position)
    workers = [item for item in processes if item.role == "worker"] or processes
    marked = [
        (item.hwm_bytes - item.rss_at_reset_bytes, item) for item in workers if item.hwm_bytes is not None
    ]
    if not marked or trial.window_open_ns is None or trial.window_close_ns is None:
        return None
    grown, worker = max(marked, key=lambda item: item[0])
    samples = [item for item in store.memory_samples(trial.slot.position) if item.pid == worker.pid]
    if not samples:
        return None
    mark = max(worker.rss_at_reset_bytes + grown, *(sample.rss_bytes for sample in samples))
    return Growth(name, samples, worker.rss_at_reset_bytes, mark, trial.window_open_ns, trial.window_close_ns)


def _memory_over_a_soak(source: Source) -> Iterator[Picture]:
    cases = {case.identity: case for case in source.run.header.cases}
    for number, growth in enumerate(source.findings.growths[:_MOST_ALIKE]):
        case = cases[growth.case]
        windows = [
            Window(
                source.store.memory_samples(trial.slot.position),
                trial.floors,
                trial.window_open_ns,
                trial.window_close_ns,
            )
            for trial in soaked_trials(source.run, case)
            if trial.window_open_ns is not None and trial.window_close_ns is not None
        ]
        title = f"Memory over a long window: {growth.label}"
        yield memory_over_a_soak(f"soak-{number + 1}", title, growth, windows, whole=case.is_baseline)


def _memory_over_size(source: Source) -> Iterator[Picture]:
    slopes = source.findings.slopes
    if slopes:
        shown = slopes[:_MOST_CURVES]
        title = "Peak memory over the length of the response"
        if len(shown) < len(slopes):
            title += f", the first {len(shown)} of {len(slopes)}"
        yield memory_over_size("sizes", title, shown)


def _block_ratios(source: Source) -> Iterator[Picture]:
    for number, whole in enumerate(_wholes(source)[:_MOST_ALIKE]):
        shown = [
            *(
                (case, CONTROL)
                for case in source.findings.cases
                if case.summary.control and case.summary.case == whole.summary.case
            ),
            *_with_looks(source, whole),
        ]
        found = [
            ratios.Ratios(
                case.summary.label,
                look,
                {name: _ratios_by_block(source.run, case, name) for name in ratios.DRAWN},
            )
            for case, look in shown
        ]
        found = [item for item in found if any(len(by_block) > 1 for by_block in item.by_figure.values())]
        if found:
            title = f"Ratios, block by block: the streams of {whole.summary.label}"
            yield ratios.block_ratios(f"blocks-{number + 1}", title, found)


def _ratios_by_block(run: Run, case: CaseFinding, name: str) -> Mapping[int, float]:
    pairs = pairs_by_block(run, case.summary.case, name, control=case.summary.control)
    return {block: own / base for block, (own, base) in sorted(pairs.items()) if own > 0 and base > 0}


def _heat_maps(source: Source) -> Iterator[Picture]:
    """One for each knob of a response that several servers serve, under one load."""
    groups: dict[tuple[str, str], list[Choice]] = {}
    responses: dict[str, Case] = {}
    for choice in source.choices:
        if choice.recommendation is not None:
            family = choice.recommendation.family
            parameters = choice.stream.summary.case.parameters
            rest = {key: value for key, value in parameters.items() if key not in {*SERVER_KEYS, family.knob}}
            response = Case(rest, baseline=None)
            responses[response.identity] = response
            groups.setdefault((family.knob, response.identity), []).append(choice)
    names = labels(list(responses.values()))
    grids = [
        (f"Servers by {knob}: {names[response_identity]}", _grid(source, knob, found))
        for (knob, response_identity), found in groups.items()
        if len(found) > 1
    ]
    shown = [(title, grid) for title, grid in grids if heat.drawn_of(grid)]
    for number, (title, grid) in enumerate(shown[:_MOST_ALIKE]):
        yield heat.heat_map(f"servers-{number + 1}", title, grid)


def _grid(source: Source, knob: str, found: Sequence[Choice]) -> heat.Grid:
    by_identity = {
        case.summary.case.identity: case for case in source.findings.cases if not case.summary.control
    }
    cells: dict[str, dict[tuple[str, str], float | None]] = {name: {} for name in heat.DRAWN}
    servers = server_names([choice.stream.summary.case for choice in found])
    buffers: dict[str, None] = {}
    for server, choice in zip(servers, found, strict=True):
        for size in choice.recommendation.family.sizes if choice.recommendation else ():
            buffer = str(size.case.parameters[knob])
            buffers[buffer] = None
            for name, by_cell in cells.items():
                ratio = by_identity[size.case.identity].figures[name].ratio
                by_cell[server, buffer] = ratio if ratio is not None and math.isfinite(ratio) else None
    return heat.Grid(knob, servers, list(buffers), cells)


def _wholes(source: Source) -> list[CaseFinding]:
    """Each whole form that has streams, once."""
    return list({choice.whole.summary.label: choice.whole for choice in source.choices}.values())


def _with_looks(source: Source, whole: CaseFinding) -> list[tuple[CaseFinding, Look]]:
    """The streams of a whole form, as many as there are looks: chosen ones first."""
    mine = [choice for choice in source.choices if choice.whole is whole]
    chosen = [choice.stream for choice in mine]
    rest = [case for case in streams_of(mine[0], source.findings) if not any(case is item for item in chosen)]
    return list(zip([*chosen, *rest], LOOKS, strict=False))
